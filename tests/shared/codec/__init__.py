"""What `shared/codec/` does."""
