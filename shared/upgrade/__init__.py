"""Bringing a database up to date, and taking over what the original left. No service imports
it."""
