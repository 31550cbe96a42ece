"""`python -m gateway` runs the gateway."""

from gateway.app import create_app, listening
from shared.process.server import serve
from shared.settings.gateway import GatewaySettings

if __name__ == "__main__":
    serve(GatewaySettings, create_app, listening)
