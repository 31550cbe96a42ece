ALTER TABLE mcpservers DROP COLUMN lookup_digest, DROP COLUMN whole_lookup_at;
ALTER TABLE a2acards DROP COLUMN lookup_digest, DROP COLUMN whole_lookup_at;
