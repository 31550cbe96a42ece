"""Who holds the router session, and what was heard on it. Not what it means."""
