"""What agents logged."""
