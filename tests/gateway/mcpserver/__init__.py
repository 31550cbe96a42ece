"""What `gateway/mcpserver/` does."""
