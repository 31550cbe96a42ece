"""What `gateway/logs/` does."""
