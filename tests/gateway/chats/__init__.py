"""What `gateway/chats/` does."""
