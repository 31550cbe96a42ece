ALTER TABLE a2acards DROP COLUMN headers;
ALTER TABLE mcpservers DROP COLUMN headers;
