"""Asking agents and flows themselves by REST, and waiting for what requests are answered."""
