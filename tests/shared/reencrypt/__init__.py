"""What `shared/reencrypt/` does."""
