"""What `agent_bridge/agents/` does."""
