"""What `gateway/files/` does."""
