"""`python -m gateway` runs the gateway."""

from shared.process.lean import lean

with lean():
    from shared.process.starting import start
    from shared.settings.gateway import GatewaySettings

if __name__ == "__main__":
    start("gateway.app", GatewaySettings)
