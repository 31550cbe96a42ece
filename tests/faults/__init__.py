"""What is killed, frozen, cut off or silenced here is real; nothing is lost."""
