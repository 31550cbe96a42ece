ALTER TABLE mcpservers DROP COLUMN lookup_failures;
ALTER TABLE a2acards DROP COLUMN lookup_failures;
