"""`python -m agent_bridge` runs the agent bridge."""

from agent_bridge.app import create_app, listening
from shared.process.server import serve
from shared.settings.bridge import BridgeSettings

if __name__ == "__main__":
    serve(BridgeSettings, create_app, listening)
