"""Checks of what the front-end relies on, one for each item of the recorded list."""
