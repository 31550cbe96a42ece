"""Brings stored secrets to their newest form: which those are, how many, and the command that does
it."""
