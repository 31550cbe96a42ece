-- When an MCP server or A2A agent that could not be looked up is looked up again.
-- depends: 0015-files-of-messages

ALTER TABLE mcpservers ADD COLUMN next_lookup_at timestamptz;
ALTER TABLE a2acards ADD COLUMN next_lookup_at timestamptz;
