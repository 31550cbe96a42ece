"""Deleting accounts with all that they have."""
