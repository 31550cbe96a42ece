"""What `gateway/admin/` does."""
