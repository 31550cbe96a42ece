"""What `gateway/llms/` does."""
