"""API keys: how one is made, shown once and ended, and those that are known here."""
