"""What `gateway/web/` does."""
