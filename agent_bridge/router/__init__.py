"""The router's protocol, the session as an agent, and the lanes that invoke. It knows no
database."""
