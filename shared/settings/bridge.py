"""What the agent bridge needs besides."""

from collections.abc import Mapping

from attrs import frozen

from shared.settings.common import CommonSettings
from shared.settings.readers import (
    Contract,
    contract,
    host,
    limit,
    port,
    port_or_none,
    service_key,
    url,
    whole_number,
)
from shared.settings.reading import secret, setting

# The library of the master agent takes frames up to 1 MiB: one above ends its connection, and every
# request that it works on. The router adds who called.
MASTER_FRAME_BYTES = 1024 * 1024 - 16 * 1024


def _agents_come_here(environment: Mapping[str, str | None]) -> bool:
    return environment.get("AGENTS_PORT") not in {None, "", "0"}


@frozen(kw_only=True, slots=False)
class BridgeSettings(CommonSettings):
    """Where the router is, how much of it is used, and where agents are let in."""

    master_be_api_key: str = secret(service_key)
    # At the agents' door nobody but its owner may be taken for the master agent.
    master_agent_api_key: str | None = secret(service_key, default=None, needed=_agents_come_here)

    router_ws_url: str = setting(url("ws", "wss"), default="ws://localhost:8080/ws")
    router_lanes: int = setting(whole_number, default=64)
    router_max_frame_bytes: int = setting(whole_number, default=16 * 1024 * 1024)
    master_max_frame_bytes: int = setting(whole_number, default=MASTER_FRAME_BYTES)
    master_agent_contract: Contract = setting(contract, default="auto")

    agents_host: str = setting(host, default="0.0.0.0")  # noqa: S104 (reached through a network)
    agents_port: int = setting(port_or_none, default=0)

    bridge_host: str = setting(host, default="0.0.0.0")  # noqa: S104 (reached through a network)
    bridge_port: int = setting(port, default=8001)
    bridge_metrics_port: int = setting(port_or_none, default=0)

    log_entries_per_agent: int = setting(limit, default=500)
    retention_days: int = setting(limit, default=30)

    @property
    def service_keys(self) -> tuple[str, ...]:
        """The keys of the services, which frames and log entries repeat."""
        keys = (self.master_be_api_key, self.master_agent_api_key, self.service_api_key)
        return tuple(key for key in keys if key)
