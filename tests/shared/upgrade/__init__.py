"""What `shared/upgrade/` does."""
