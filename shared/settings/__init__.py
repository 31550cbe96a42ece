"""What the environment says, read once. Each service reads what it needs, and no more."""
