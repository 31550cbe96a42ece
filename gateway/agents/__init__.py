"""Users' agents, and all kinds of active connections as one list. Who is connected is the
bridge's word."""
