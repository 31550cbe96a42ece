"""What `gateway/accounts/` does."""
