"""What `gateway/mail/` does."""
