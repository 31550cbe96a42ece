"""The router's agent: registers, logs, and the invocation of the master agent."""
