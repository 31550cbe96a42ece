"""What users have, for programs that speak MCP: agents and flows as tools, files as resources."""
