"""What `shared/domain/` does."""
