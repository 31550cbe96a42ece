-- By what a short look-up sees that nothing has changed at an MCP server or A2A agent.
-- depends: 0042-usage

ALTER TABLE mcpservers ADD COLUMN lookup_digest text, ADD COLUMN whole_lookup_at timestamptz;
ALTER TABLE a2acards ADD COLUMN lookup_digest text, ADD COLUMN whole_lookup_at timestamptz;

COMMENT ON COLUMN mcpservers.lookup_digest IS
    'SHA-256 of the tools that it listed in one answer; null: it is always looked up as a whole.';
COMMENT ON COLUMN mcpservers.whole_lookup_at IS
    'When it is looked up as a whole again, whatever its tools'' digest is.';
COMMENT ON COLUMN a2acards.lookup_digest IS
    'SHA-256 of its card as it was sent; null: it is always looked up as a whole.';
COMMENT ON COLUMN a2acards.whole_lookup_at IS
    'When it is looked up as a whole again, whatever its card''s digest is.';
