"""What an installation needs as a whole, for whoever starts or upgrades all of it."""

from attrs import frozen

from shared.settings.bridge import BridgeSettings
from shared.settings.gateway import GatewaySettings
from shared.settings.readers import service_key
from shared.settings.reading import secret


@frozen(kw_only=True, slots=False)
class Settings(GatewaySettings, BridgeSettings):
    """The settings of both services."""

    master_be_api_key: str = secret(service_key)
    service_api_key: str | None = secret(service_key, default=None, own=True)
