"""What `shared/process/` does."""
