"""What MCP servers and A2A agents have in common: they are visited, and looked up again. Not
their protocols."""
