"""Who gets what: every operation and socket, called by everybody."""
