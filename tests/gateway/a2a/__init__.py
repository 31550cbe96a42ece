"""What `gateway/a2a/` does."""
