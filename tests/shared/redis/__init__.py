"""What `shared/redis/` does."""
