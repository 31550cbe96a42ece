"""Leaving: what is deleted, and what is taken along."""
