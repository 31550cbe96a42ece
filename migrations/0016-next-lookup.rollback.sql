ALTER TABLE mcpservers DROP COLUMN next_lookup_at;
ALTER TABLE a2acards DROP COLUMN next_lookup_at;
