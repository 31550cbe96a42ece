"""What `shared/notifications/` does."""
