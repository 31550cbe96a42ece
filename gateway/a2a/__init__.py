"""A2A agents, known by their cards."""
