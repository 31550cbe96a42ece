"""What `gateway/requests/` does."""
