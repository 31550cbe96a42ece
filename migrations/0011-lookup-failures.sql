-- How often in a row an active MCP server or A2A agent could not be looked up.
-- depends: 0010-user-names

ALTER TABLE mcpservers ADD COLUMN lookup_failures smallint NOT NULL DEFAULT 0;
ALTER TABLE a2acards ADD COLUMN lookup_failures smallint NOT NULL DEFAULT 0;
