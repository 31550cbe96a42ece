"""`python -m agent_bridge` runs the agent bridge."""

from agent_bridge.app import create_app
from shared.process.server import serve

if __name__ == "__main__":
    serve(create_app, lambda settings: (settings.bridge_host, settings.bridge_port))
