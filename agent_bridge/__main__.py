"""`python -m agent_bridge` runs the agent bridge."""

from shared.process.lean import lean

with lean():
    from shared.process.starting import start
    from shared.settings.bridge import BridgeSettings

if __name__ == "__main__":
    start("agent_bridge.app", BridgeSettings)
