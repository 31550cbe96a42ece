"""Requests to the master agent: how far they are, cancelling them, and which bridge is told of
one. Not how they are made of messages, nor answered."""
