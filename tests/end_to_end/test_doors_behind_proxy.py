"""Agents and the master agent know the proxy only, which leads to the bridges' doors."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import attrs
import pytest
from attrs import frozen
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from devstack.processes import HOST, Child, free_port
from tests.agents.running import Generation, run_agent, run_master_agent
from tests.end_to_end.doors.visitors import agent_at, until_active
from tests.end_to_end.proxy import Proxy, make_certificate, run_proxy
from tests.system import Stores, System
from tests.users import User, eventually, register_user

BRIDGE_HOSTS = ["127.0.0.2", "127.0.0.3"]
SERVICE_RESTART, NO_CREDENTIALS = 1012, 4000


@frozen
class Installation:
    """Two bridges and a gateway, and the proxy before them."""

    system: System
    proxy: Proxy
    agents_port: str
    bridge_port: str
    doors: dict[str, str]
    """What tells a proxy where the doors are."""

    @property
    def from_outside(self) -> System:
        """The system as agents know it."""
        return attrs.evolve(self.system, gateways=[self.proxy.url], doors=[self.proxy.agents_url])

    def start_bridge(self, host: str) -> Child:
        """Start one more, at an address that the name server tells."""
        ports = {"agents_port": self.agents_port, "port": self.bridge_port}
        return self.system.start_door(host=host, **ports)

    async def until_spread(self, *counts: int) -> None:
        """Wait until the bridges have so many agents."""

        async def is_so() -> bool:
            found = await asyncio.to_thread(self.proxy.values, "current_sessions", "doors")
            return found == [float(count) for count in counts if count]

        await eventually(is_so, f"the bridges have {counts} agents")


async def until_ready(proxy: Proxy, count: int, backend: str = "doors") -> None:
    """Wait until the proxy gives new connections to so many."""

    async def is_so() -> bool:
        return sum(await asyncio.to_thread(proxy.values, "status", backend)) == count

    await eventually(is_so, f"{count} are {backend}")


@pytest.fixture(scope="module")
def bare_installation(stores: Stores) -> Iterator[Installation]:
    ports = [str(free_port()) for _ in range(3)]
    gateway_port, agents_port, bridge_port = ports
    with stores.system() as system:
        system.start_router()
        system.start_gateway(port=gateway_port, TRUSTED_PROXIES=HOST)
        doors = {"PROXY_DOORS": f"bridge:{agents_port}", "PROXY_BRIDGE_PORT": bridge_port}
        with run_proxy(system.folder, int(gateway_port), [HOST], **doors) as proxy:
            yield Installation(system, proxy, agents_port, bridge_port, doors)


@pytest.fixture(scope="module")
async def installation(anyio_backend: str, bare_installation: Installation) -> Installation:
    """With both bridges, as the proxy has found them."""
    for host in BRIDGE_HOSTS:
        bare_installation.start_bridge(host)
    bare_installation.proxy.bridges.addresses = BRIDGE_HOSTS
    await until_ready(bare_installation.proxy, len(BRIDGE_HOSTS))
    await until_ready(bare_installation.proxy, 1, "ready")
    return bare_installation


@pytest.fixture
async def user(installation: Installation) -> AsyncIterator[User]:
    async with register_user(installation.proxy.url) as user:
        await user.create_config()
        yield user


@pytest.mark.parametrize("generation", ["1.0", "2.0"])
async def test_an_agent_and_the_master_agent_that_come_by_the_proxy_answer(
    installation: Installation, user: User, generation: Generation
) -> None:
    outside, seal = installation.from_outside, uuid4().hex
    registered = await user.register_agent()
    with (
        run_master_agent(outside, "enriched"),
        run_agent(outside, generation, registered["jwt"], seal),
    ):
        await until_active(user, registered["id"], is_active=True)
        async with user.chat() as chat:
            await chat.send("Please seal 3 copies of a letter")
            frame = await chat.receive()
            while frame["type"] != "agent_response":
                frame = await chat.receive()
    assert seal in str(frame["response"]["response"])
    await installation.until_spread(0, 0)


async def test_who_shows_nothing_is_sent_away_by_the_door(installation: Installation) -> None:
    async with connect(installation.proxy.agents_url) as stranger:
        await stranger.wait_closed()
    assert stranger.close_code == NO_CREDENTIALS


async def test_other_paths_are_nobodys(installation: Installation) -> None:
    for path in ("/", "/ready", "/health", "/metrics"):
        with pytest.raises(InvalidStatus) as refused:
            await connect(installation.proxy.agents_url.removesuffix("/ws") + path)
        assert refused.value.response.status_code == 403


async def test_agents_of_a_bridge_that_goes_down_are_told_and_let_in_by_another(
    installation: Installation, user: User
) -> None:
    url = installation.proxy.agents_url
    async with AsyncExitStack() as stack:
        agents = [await stack.enter_async_context(agent_at(url, user)) for _ in range(2)]
        await installation.until_spread(1, 1)
        await asyncio.to_thread(installation.system.children["bridge 1"].stop)
        codes = {visitor.connection.close_code for visitor, _ in agents}
        assert codes == {SERVICE_RESTART, None}
        [left] = [agent for visitor, agent in agents if visitor.connection.close_code]
        await until_active(user, left["id"], is_active=False)
        await until_ready(installation.proxy, 1)
        again = await stack.enter_async_context(agent_at(url, user))
        await installation.until_spread(2)
        assert again[0].connection.close_code is None
    installation.start_bridge(BRIDGE_HOSTS[0])
    await until_ready(installation.proxy, 2)


async def test_with_a_certificate_agents_come_by_tls(
    installation: Installation, user: User, tmp_path: Path
) -> None:
    more = {**installation.doors, "TLS_CERTIFICATE": str(make_certificate(tmp_path))}
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    registered = await user.register_agent()
    headers = {"X-Custom-Authorization": registered["jwt"]}
    with run_proxy(tmp_path, 1, [], **more) as proxy:
        proxy.bridges.addresses = BRIDGE_HOSTS
        await until_ready(proxy, 2)
        url = proxy.agents_tls_url
        async with connect(url, additional_headers=headers, ssl=unverified) as agent:
            await (await agent.ping())

        async def is_logged() -> bool:
            return " 101 GET /ws " in proxy.log()

        await eventually(is_logged, "the proxy tells of the agent that was there")
        assert registered["jwt"] not in proxy.log()
