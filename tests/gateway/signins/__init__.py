"""What `gateway/signins/` does."""
