"""`python -m gateway` runs the gateway."""

from gateway.app import create_app
from shared.process.server import serve

if __name__ == "__main__":
    serve(create_app, lambda settings: (settings.gateway_host, settings.gateway_port))
