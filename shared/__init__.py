"""What both services speak or need, and what brings their database up to date. Nothing that only
one of them does."""

VERSION = "0.1.0"
"""Of both services, whose images hold the same. `pyproject.toml` and `compose.yaml` repeat it."""
