"""What `shared/postgres/` does."""
