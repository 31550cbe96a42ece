"""What `gateway/openapi/` does."""
