"""The topology of `compose.yaml` as processes: all that clients know is the proxy's address."""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import attrs
import httpx2
import pytest
from attrs import frozen

from devstack.postgres import PostgresServer
from devstack.processes import Child, free_port
from tests.end_to_end.crowd import Crowd, gather_crowd, seal_by_key
from tests.end_to_end.proxy import Proxy, make_certificate, run_proxy
from tests.end_to_end.talker import Talker
from tests.end_to_end.test_event_streams import events, post, receive_all
from tests.master import Behaviour, Invocation, Master, echo, run_master
from tests.parts import Dictation
from tests.shared.line import LineAside, run_line_aside
from tests.system import EMPTY, PROJECT, Stores, System
from tests.users import SSL_CONTEXT, User, eventually, register_user

PROXY_HOST = "127.0.0.1"  # what the gateways see of the proxy
GATEWAY_HOSTS = ["127.0.0.2", "127.0.0.3"]
FURTHER_HOST = "127.0.0.4"
BRIDGE_HOSTS = ["127.0.0.2", "127.0.0.3", "127.0.0.4"]
USERS = 20
TALKERS = 8
MOST_FAILURES = USERS + 2  # whoever logs in counts until the password is found right
MIB = 1024 * 1024


@frozen
class Installation:
    """The processes, and the one address."""

    system: System
    proxy: Proxy
    gateway_port: int

    @property
    def from_outside(self) -> System:
        """The system as its users know it: with one gateway, which is the proxy."""
        return attrs.evolve(self.system, gateways=[self.proxy.url])

    def start_gateway(self, host: str, **overrides: str) -> Child:
        """One more replica, which the name server does not tell of yet."""
        return self.system.start_gateway(
            host=host,
            port=str(self.gateway_port),
            TRUSTED_PROXIES=PROXY_HOST,
            LOGIN_FAILURES_PER_ADDRESS=str(MOST_FAILURES),
            **overrides,
        )

    async def until_ready(self, count: int, backend: str = "ready") -> None:
        """Wait until the proxy gives new connections to so many gateways, or `doors`."""

        async def is_so() -> bool:
            return sum(await self.values("status", backend)) == count

        await eventually(is_so, f"{count} are {backend}")

    async def until_open(self, *counts: int) -> None:
        """Wait until the proxy has so many connections in use to each gateway, the least first."""

        async def is_so() -> bool:
            return await self.values("current_sessions") == [*counts]

        await eventually(is_so, f"{counts} are open")

    async def values(self, name: str, backend: str = "ready") -> list[float]:
        """What the proxy measures of each gateway, or of each of the `doors`."""
        return await asyncio.to_thread(self.proxy.values, name, backend)

    @asynccontextmanager
    async def master(self, behave: Behaviour) -> AsyncIterator[Master]:
        """A master agent that knows the proxy only."""
        router_url, door_url = self.system.router_url, self.proxy.agents_url
        async with run_master(router_url, behave, door_url=door_url) as master:
            yield master


def _migrate(system: System) -> None:
    environment = {**os.environ, **system.migrating_environment}
    command = [sys.executable, "-m", "shared.upgrade.migrate"]
    subprocess.run(command, env=environment, cwd=PROJECT, check=True, capture_output=True)


@pytest.fixture(scope="module")
async def installation(anyio_backend: str, stores: Stores) -> AsyncIterator[Installation]:
    """Migrated, with a router, two gateways, three bridges and the proxy."""
    with attrs.evolve(stores, template=EMPTY).system() as system:
        _migrate(system)
        system.start_router()
        port, agents_port, bridge_port = (str(free_port()) for _ in range(3))
        doors = {"PROXY_DOORS": f"bridge:{agents_port}", "PROXY_BRIDGE_PORT": bridge_port}
        with run_proxy(system.folder, int(port), GATEWAY_HOSTS, **doors) as proxy:
            installation = Installation(system, proxy, int(port))
            for host in GATEWAY_HOSTS:
                installation.start_gateway(host)
            for host in BRIDGE_HOSTS:
                system.start_door(host=host, agents_port=agents_port, port=bridge_port)
            proxy.bridges.addresses = BRIDGE_HOSTS
            await installation.until_ready(len(GATEWAY_HOSTS))
            await installation.until_ready(len(BRIDGE_HOSTS), "doors")
            yield installation


@pytest.fixture
async def user(installation: Installation) -> AsyncIterator[User]:
    """A user who knows the proxy only."""
    async with register_user(installation.proxy.url) as user:
        await user.create_config()
        yield user


@frozen
class Further:
    """A third gateway, and its line to PostgreSQL."""

    child: Child
    line: LineAside


@pytest.fixture(scope="module")
async def further(installation: Installation, postgres: PostgresServer) -> AsyncIterator[Further]:
    """One more, which the proxy finds by its name; the last of its tests kills it."""
    with run_line_aside(postgres.port) as line:
        child = installation.start_gateway(FURTHER_HOST, POSTGRES_PORT=str(line.port))
        installation.proxy.gateways.addresses = [*GATEWAY_HOSTS, FURTHER_HOST]
        await installation.until_ready(3)
        yield Further(child, line)
    installation.proxy.gateways.addresses = GATEWAY_HOSTS


@pytest.fixture(scope="module")
async def crowd(installation: Installation) -> Crowd:
    """Users who chat at once, with log entries, answered by a scripted master agent."""
    async with installation.master(seal_by_key):
        return await gather_crowd(installation.from_outside, USERS, own_agents=False)


async def test_the_documentation_is_at_the_one_address(installation: Installation) -> None:
    async with httpx2.AsyncClient(base_url=installation.proxy.url, follow_redirects=True) as http:
        page = await http.get("/")
        description = await http.get("/openapi.json")
    assert str(page.url) == f"{installation.proxy.url}/docs"
    assert "swagger-ui" in page.text
    assert "/api/login/access-token" in description.json()["paths"]


async def test_large_files_come_back_as_they_went(user: User) -> None:
    content = os.urandom(20 * MIB)
    stored = await user.http.post("/files", files={"file": ("a.bin", content)})
    assert stored.status_code == 201, stored.text
    assert (await user.http.get(f"/files/{stored.json()['id']}")).content == content


async def test_many_chat_at_once_and_each_gets_all_of_theirs_in_order(crowd: Crowd) -> None:
    for visit in crowd.visits:
        for frames in visit.sockets:
            assert [frame["seq"] for frame in frames] == [*range(1, crowd.frames_each + 1)]
        assert [log["message"] for log in visit.logs] == [row["message"] for row in visit.log_rows]
        assert len(visit.responses) == len(visit.request_rows)


async def test_their_sockets_spread_evenly(crowd: Crowd, installation: Installation) -> None:
    sockets = sum(len(visit.sockets) for visit in crowd.visits)
    assert min(await installation.values("max_sessions")) >= sockets // 2


async def test_the_proxy_logs_the_paths_of_sockets_without_their_tokens(
    crowd: Crowd, installation: Installation
) -> None:
    log = installation.proxy.log()
    assert log.count(" 101 GET /frontend/ws ") >= len(crowd.visits)
    assert not [visit for visit in crowd.visits if visit.guest.user.token in log]
    assert "token" not in log.replace("/api/login/access-token", "")


async def test_an_event_is_seen_before_the_next_one_is_made(
    installation: Installation, user: User
) -> None:
    dictation, session_id = Dictation(), str(uuid4())
    async with (
        installation.master(dictation.behave),
        events(user, session_id) as stream,
        user.chat(session_id, protocol=2) as chat,
    ):
        await post(user, session_id, "What is the time?")
        for word in ("It ", "is ", "twelve"):
            dictation.say(word)
            _, part = await anext(stream)
            assert part["text"] == word
            assert await chat.receive() == part
        dictation.end()
        [(seq, last)] = await receive_all(stream)
    assert (seq, last["response"]["response"]["response"]) == (1, "It is twelve")


async def test_who_leaves_a_stream_is_gone_at_its_gateway_too(
    installation: Installation, user: User
) -> None:
    async with events(user, str(uuid4())):
        await installation.until_open(1)
    await installation.until_open()


async def _work(invocation: Invocation) -> object:
    await invocation.log("at work")
    await asyncio.sleep(0.3)
    return await echo(invocation)


async def _arrive(installation: Installation, stack: AsyncExitStack) -> Talker:
    user = await stack.enter_async_context(register_user(installation.proxy.url))
    await user.create_config()
    return Talker(user, [installation.proxy.url])


async def _until_answered(talkers: list[Talker], count: int) -> None:
    """Wait until each has got so many more answers."""
    wanted = [len(talker.answers) + count for talker in talkers]

    async def is_so() -> bool:
        pairs = zip(talkers, wanted, strict=True)
        return all(len(talker.answers) >= number for talker, number in pairs)

    await eventually(is_so, f"{count} more answers for each", seconds=20)


async def test_a_gateway_that_is_not_ready_keeps_its_sockets_and_gets_no_new_ones(
    installation: Installation, user: User, further: Further
) -> None:
    async with AsyncExitStack() as stack:
        first = [await stack.enter_async_context(user.chat()) for _ in range(3)]
        await installation.until_open(1, 1, 1)
        further.line.cut()
        await installation.until_ready(2)
        for _ in range(6):
            await stack.enter_async_context(user.chat())
        assert await installation.values("current_sessions") == [1, 4, 4]
        further.line.mend()
        await installation.until_ready(3)
        for chat in first:
            await (await chat.connection.ping())


async def test_with_none_ready_the_living_answer_for_themselves(
    installation: Installation, user: User, further: Further
) -> None:
    further.line.cut()
    installation.proxy.gateways.addresses = [FURTHER_HOST]
    await installation.until_ready(0)
    own = await user.http.get("/api/agents", headers={"Origin": "https://front-end.example"})
    assert own.status_code == 503
    assert own.headers["access-control-allow-origin"] == "*"
    assert (await user.http.get("/docs")).status_code == 200
    further.line.mend()
    installation.proxy.gateways.addresses = [*GATEWAY_HOSTS, FURTHER_HOST]
    await installation.until_ready(3)


async def test_a_killed_gateway_costs_no_message_and_none_comes_twice(
    installation: Installation, further: Further
) -> None:
    async with AsyncExitStack() as stack:
        master = await stack.enter_async_context(installation.master(_work))
        talkers = [await _arrive(installation, stack) for _ in range(TALKERS)]
        enough = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for talker in talkers:
                group.create_task(talker.talk(enough))
            await _until_answered(talkers, 1)
            further.child.kill()
            await _until_answered(talkers, 2)
            enough.set()
    invoked = Counter(call.payload["message"] for call in master.invocations)
    assert sum(bool(talker.closes) for talker in talkers) >= TALKERS // 3
    for talker in talkers:
        assert talker.seqs == [*range(1, len(talker.seqs) + 1)]
        assert {message: len(talker.answers[message]) for message in talker.sent} == dict.fromkeys(
            talker.sent, 1
        )
        assert all(invoked[message] == 1 for message in talker.sent)


async def test_with_none_there_the_proxy_says_so(installation: Installation, user: User) -> None:
    installation.proxy.gateways.addresses = ["127.0.0.5"]  # nobody listens there
    await installation.until_ready(0)

    async def is_said() -> bool:
        answer = await user.http.get("/docs")
        assert answer.status_code in (200, 503)
        return answer.status_code == 503 and isinstance(answer.json()["detail"], str)

    await eventually(is_said, "the proxy says that nobody is there")
    installation.proxy.gateways.addresses = GATEWAY_HOSTS
    await installation.until_ready(2)


async def test_with_a_certificate_http_is_sent_to_https_and_gateways_know_of_it(
    installation: Installation, tmp_path: Path
) -> None:
    certificate = {"TLS_CERTIFICATE": str(make_certificate(tmp_path))}
    with run_proxy(tmp_path, installation.gateway_port, GATEWAY_HOSTS, **certificate) as proxy:
        async with httpx2.AsyncClient(verify=False) as http:
            plain = await http.get(f"{proxy.url}/docs")
            forged = {"X-Forwarded-Proto": "http"}
            secure = await http.get(f"{proxy.tls_url}/docs", headers=forged)
    assert plain.status_code == 308
    assert plain.headers["location"] == f"https://{proxy.url.removeprefix('http://')}/docs"
    assert secure.status_code == 200
    assert "strict-transport-security" in secure.headers


async def _fail_to_log_in(url: str, address: str, claimed: str | None = None) -> int:
    """The status of a login with a wrong password from a loopback address."""
    transport = httpx2.AsyncHTTPTransport(verify=SSL_CONTEXT, local_address=address)
    headers = {"X-Forwarded-For": claimed} if claimed else {}
    async with httpx2.AsyncClient(base_url=url, transport=transport, headers=headers) as http:
        form = {"username": f"nobody-{uuid4()}", "password": "wrong"}
        return (await http.post("/api/login/access-token", data=form)).status_code


async def _fail_too_often(url: str, address: str) -> Counter[int]:
    """The statuses of one login more than may fail, each said to come from somewhere else."""
    tries = [
        _fail_to_log_in(url, address, f"192.0.2.{number}") for number in range(MOST_FAILURES + 1)
    ]
    return Counter(await asyncio.gather(*tries))


async def test_failed_logins_count_for_the_address_that_the_proxy_sees(
    installation: Installation,
) -> None:
    url = installation.proxy.url
    assert await _fail_too_often(url, "127.0.0.21") == {400: MOST_FAILURES, 429: 1}
    assert await _fail_to_log_in(url, "127.0.0.22", claimed="127.0.0.21") == 400


async def test_nobody_but_the_proxy_can_say_who_asks(installation: Installation) -> None:
    url = f"http://{GATEWAY_HOSTS[1]}:{installation.gateway_port}"
    assert await _fail_too_often(url, "127.0.0.23") == {400: MOST_FAILURES, 429: 1}


async def test_a_gateway_that_ends_tells_its_sockets_to_come_again(
    installation: Installation, user: User
) -> None:
    ending = installation.system.children["gateway 1"]  # the last test: nobody needs it any more
    async with AsyncExitStack() as stack:
        chats = [await stack.enter_async_context(user.chat()) for _ in range(2)]
        closing = [asyncio.create_task(chat.connection.wait_closed()) for chat in chats]
        await asyncio.to_thread(ending.stop)
        await asyncio.wait(closing, return_when=asyncio.FIRST_COMPLETED)
        assert {chat.connection.close_code for chat in chats} == {1012, None}
