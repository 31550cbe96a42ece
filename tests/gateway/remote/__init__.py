"""What `gateway/remote/` does."""
