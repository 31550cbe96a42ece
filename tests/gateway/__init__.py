"""The gateway: by itself, and through its real process."""
