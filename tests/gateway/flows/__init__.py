"""What `gateway/flows/` does."""
