"""What `agent_bridge/router/` does."""
