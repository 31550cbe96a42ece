"""What `shared/settings/` does."""
