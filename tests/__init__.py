"""Tests mirror the packages; `system.py`, `users.py` and `master.py` are what they share."""
