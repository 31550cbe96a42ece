"""What `agent_bridge/logs/` does."""
