"""Another product beside ours: what it needs, in an environment of its own, and its clients."""
