"""Agents as their authors write them, run as processes."""
