"""What `agent_bridge/intake/` does."""
