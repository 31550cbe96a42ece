"""What an installation needs as a whole, for whoever starts or upgrades all of it."""

from attrs import frozen

from shared.settings.bridge import BridgeSettings
from shared.settings.gateway import GatewaySettings


@frozen(kw_only=True, slots=False)
class Settings(GatewaySettings, BridgeSettings):
    """The settings of both services."""
