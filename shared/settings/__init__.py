"""What the environment says, read once: each service reads what it needs, and no more. Not what
follows from it."""
