"""Requests to the master agent: how far they are, and cancelling them."""
