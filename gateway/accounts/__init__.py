"""Users: registration, login, tokens."""
