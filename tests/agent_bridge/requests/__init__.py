"""What `agent_bridge/requests/` does."""
