"""MCP servers that users add, and their tools. How they are visited and looked up again is in
`remote`."""
