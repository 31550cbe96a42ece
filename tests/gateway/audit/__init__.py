"""What `gateway/audit/` does."""
