"""One user alone, and beside somebody who takes all that he can get, in each of many ways."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from signal import SIGCONT, SIGSTOP

from attrs import define, frozen

from devstack.processes import ChildEndedError, stopping, wait_until_ready
from shared.tokens import issue_user_token
from tests.benchmarks.chat import chatting
from tests.benchmarks.installation import Bench, Installation
from tests.benchmarks.load import Load, run_load
from tests.benchmarks.neighbour import BEGUN, DEED, DEEDS, GATEWAY_URL
from tests.benchmarks.people import Chat, Person, WrongAnswerError
from tests.benchmarks.results import Row, Target, at_most
from tests.benchmarks.wire import allow_files, connections, http_request
from tests.sql import run_sql

FILES = 20_000
SECONDS = 5.0
SETTLE_SECONDS = 1.0
LOGS = 2  # of each message
OK = 200
REFRESH_SECONDS = 1.0
FROZEN = "log much"  # what is done once more while Redis is frozen
LOCKED = "list behind a lock"  # when nobody can chat: an answer has files
CARD = b'{"name": "victim", "description": "", "skills": []}'

NAMES = [*DEEDS, f"{FROZEN}, Redis frozen"]
CHATS, LISTS, LOOKUPS = "chats, p99", "lists, p99", "look-ups"
SERVICES = ("gateway", "bridge")

TARGETS: dict[str, Target] = {
    **{
        f"{name}: {row}": at_most(1.5, of_floor=True)
        for name in NAMES
        for row in (CHATS, LISTS, LOOKUPS)
    },
    **{f"{name}: {service}": at_most(400) for name in NAMES for service in SERVICES},
}

SELECT_OWNER = "SELECT creator_id FROM chatconversations WHERE session_id = %s"
INSERT_CARD = """
    INSERT INTO a2acards
        (id, creator_id, name, alias, description, server_url, card_content, is_active)
    VALUES (gen_random_uuid(), %s, 'victim', 'victim', '', %s, '{}', true)
"""


@define
class CardServer:
    """An A2A agent of the victim's, which counts how often its card is looked up."""

    url: str = ""
    looks: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a connection's calls."""
        while await reader.readline():
            while (await reader.readline()).strip():
                pass
            self.looks += 1
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(CARD)}\r\n\r\n"
            writer.write(head.encode() + CARD)
        writer.close()


@frozen
class Life:
    """What the victim did in a while."""

    chats: Load
    lists: Load
    between_looks: float  # seconds


@define
class Victim:
    """A user who chats, reads lists, and has an agent that is looked up."""

    installation: Installation
    person: Person
    chat: Chat
    cards: CardServer

    async def live(self, *, chats: bool = True) -> Life:
        """Chat, or not, and read lists for a while."""
        async with connections(self.installation.system.gateway, 1) as [connection]:
            paths = ["/api/chats", f"/api/chat?session_id={self.chat.session_id}", "/api/agents"]
            requests = [http_request("GET", path, token=self.person.token) for path in paths]

            async def read() -> None:
                for request in requests:
                    if (answer := await connection.ask(request)).status != OK:
                        raise WrongAnswerError(f"{answer.status} for {request[:80]!r}")

            looked, chatting = self.cards.looks, [partial(self.chat.ask, LOGS)] if chats else []
            loads = await asyncio.gather(run_load(chatting, SECONDS), run_load([read], SECONDS))
        looks = self.cards.looks - looked
        return Life(*loads, SECONDS / max(looks, 1))


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """What the victim waits at most in 99 of 100 cases; the floor is the same alone."""
    allow_files(FILES)
    one = bench.start(ALLOW_PRIVATE_URLS="true", REFRESH_SECONDS=str(REFRESH_SECONDS))
    cards = CardServer()
    async with (
        await asyncio.start_server(cards.serve, "127.0.0.1", 0) as server,
        chatting(one, 1) as [chat],
    ):
        victim = Victim(one, await _settle_in(one, chat, server), chat, cards)
        await victim.live()
        for name in NAMES:
            async for row in _beside(victim, name):
                yield row


async def _beside(victim: Victim, name: str) -> AsyncIterator[Row]:
    deed, _, is_frozen = name.partition(", ")
    pids = {each: victim.installation.pid(each) for each in SERVICES}
    live = partial(victim.live, chats=deed != LOCKED)
    with _frozen(victim.installation, is_frozen=bool(is_frozen)):
        alone = await live()
        with _neighbour(victim.installation, deed):
            for pid in pids.values():
                forget_peak(pid)
            beside = await live()
            peaks = {each: peak(pid) for each, pid in pids.items()}
    if deed != LOCKED:
        yield Row(f"{name}: {CHATS}", beside.chats.ms(99), "ms", alone.chats.ms(99))
    yield Row(f"{name}: {LISTS}", beside.lists.ms(99), "ms", alone.lists.ms(99))
    yield Row(f"{name}: {LOOKUPS}", beside.between_looks, "s", alone.between_looks)
    for service, most in peaks.items():
        yield Row(f"{name}: {service}", most, "MiB")
    await asyncio.sleep(SETTLE_SECONDS)


async def _settle_in(one: Installation, chat: Chat, server: asyncio.Server) -> Person:
    """The victim, whose agent is known from now on."""
    host, port = server.sockets[0].getsockname()
    with run_sql(one.system.settings) as sql:
        [row] = sql(SELECT_OWNER, chat.session_id)
        sql(INSERT_CARD, row["creator_id"], f"http://{host}:{port}")
    token = issue_user_token(one.system.settings.secret_key, row["creator_id"])
    return Person(str(row["creator_id"]), token)


@contextmanager
def _neighbour(one: Installation, deed: str) -> Iterator[None]:
    """He has begun, and ends with the block."""
    variables = {DEED: deed, GATEWAY_URL: one.system.gateway}
    child = one.system.start("neighbour", "tests.benchmarks.neighbour", variables)
    with stopping(child):
        wait_until_ready(child, lambda: BEGUN in child.last_lines())
        yield
        if child.has_ended:
            raise ChildEndedError(f"the neighbour has ended:\n{child.last_lines()}")


@contextmanager
def _frozen(one: Installation, *, is_frozen: bool) -> Iterator[None]:
    """Redis answers nobody, if it is frozen."""
    pid = one.pid("Valkey")
    if is_frozen:
        os.kill(pid, SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, SIGCONT)


def forget_peak(pid: int) -> None:
    """Have the kernel count the most memory anew (proc_pid_clear_refs(5))."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak(pid: int) -> float:
    """MiB that a process had at most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [kib] = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return int(kib) / 1024
