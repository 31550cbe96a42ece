"""Users' agents."""
