"""What `gateway/agents/` does."""
