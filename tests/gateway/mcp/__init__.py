"""What `gateway/mcp/` does."""
