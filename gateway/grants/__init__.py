"""What users grant by logging in at the authorization servers of their MCP servers: OAuth 2.1 as
the MCP specification has it, by the SDK's building blocks."""
