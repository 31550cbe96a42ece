"""What the tests of the bridge share: a hasty gateway, and a system to break and mend."""

from collections.abc import AsyncIterator, Iterator

import pytest

from devstack.router import RouterServer
from devstack.routing import Delivery
from tests.agent_bridge.broken import keep_bridges, keep_router, until_heard
from tests.system import Stores, System
from tests.users import User, register_user

HASTY_SECONDS = "1.2"


@pytest.fixture(scope="session")
def hasty_gateway(system: System) -> str:
    """A gateway of the shared system whose requests have little time."""
    system.start_gateway(REQUEST_TIMEOUT=HASTY_SECONDS)
    return system.gateways[-1]


@pytest.fixture
async def hasty_user(hasty_gateway: str) -> AsyncIterator[User]:
    """A user there, with a model config."""
    async with register_user(hasty_gateway) as user:
        await user.create_config()
        yield user


@pytest.fixture(scope="session")
def breakable(stores: Stores) -> Iterator[System]:
    """A system for the tests that kill a router or a bridge: `running` mends it for the next."""
    with stores.system() as system:
        system.start_router()
        system.start_gateway()
        yield system


@pytest.fixture
def running(breakable: System) -> System:
    """A router, a gateway and one bridge, to kill and restart."""
    keep_router(breakable)
    keep_bridges(breakable, 1)
    return breakable


@pytest.fixture
async def owner(running: System) -> AsyncIterator[User]:
    """A user there; the bridge hears the router when the test begins."""
    async with register_user(running.gateway) as user:
        await user.create_config()
        await until_heard(running, user, 10)
        yield user


@pytest.fixture
def delivered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The log entries that a router in this process gives to whoever holds the session."""
    messages: list[str] = []
    deliver = RouterServer._deliver

    def note(self: RouterServer, deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            payload = delivery.frame.get("request_payload", {})
            if delivery.to in self.outboxes and payload.get("message_type") == "agent_log":
                messages.append(payload["log_message"])
        deliver(self, deliveries)

    monkeypatch.setattr(RouterServer, "_deliver", note)
    return messages
