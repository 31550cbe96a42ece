"""A2A agents that users add, known by their cards. How they are visited and looked up again is
in `remote`."""
