"""Mail: what waits to be sent, and how it is handed to a server."""
