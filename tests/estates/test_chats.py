"""The master of Redis hangs or dies under people who chat: nothing is lost, and little is late."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic

import httpx2
import pytest
from attrs import define

from tests.estates.programs import program_of
from tests.estates.running import Estate, run_cluster, run_sentinels
from tests.master import answer, run_master
from tests.system import Stores, System
from tests.users import Chat, User, eventually, register_user

CHATS = 8
SOME = 10  # messages of each talk, before the trouble and after it
LATE_SECONDS = 6.0  # half of it is what is promised, the rest for a machine with other work
KINDS = {"a master that Sentinels name": run_sentinels, "a Cluster": run_cluster}


@define
class Talk:
    """A user who asks again as soon as there is an answer."""

    chat: Chat
    slowest: float = 0.0
    answered: int = 0

    async def run(self, is_over: asyncio.Event) -> None:
        """Until it is over; each answer is the one to its message, and the next of the session."""
        while not is_over.is_set():
            began = monotonic()
            frame = await self.chat.ask(f"message {self.answered}")
            assert frame["response"]["response"] == answer(f"echo: message {self.answered}")
            self.answered += 1
            assert frame["seq"] == self.answered
            self.slowest = max(self.slowest, monotonic() - began)


@pytest.mark.parametrize("fault", ["hangs", "dies"])
@pytest.mark.parametrize("kind", KINDS)
async def test_people_chat_on(kind: str, fault: str, stores: Stores, tmp_path: Path) -> None:
    with (
        KINDS[kind](tmp_path, program_of("Valkey 9.1")) as estate,
        stores.system(REDIS_URL=estate.url) as system,
    ):
        system.start_router()
        system.start_gateway()
        system.start_bridge()
        async with run_master(system.router_url), register_user(system.gateway) as user:
            await user.create_config()
            await _until_heard(system, kind)
            talks = await _talk(user, lambda: _break(estate, fault, system, kind))
        assert max(talk.slowest for talk in talks) < LATE_SECONDS
        assert not any("Traceback" in system.log_of(name) for name in ("gateway 1", "bridge 1"))


async def _talk(user: User, meanwhile: Callable[[], Awaitable[None]]) -> list[Talk]:
    """What became of many talks at once, in which something happens."""
    is_over = asyncio.Event()
    async with AsyncExitStack() as stack:
        chats = [await stack.enter_async_context(user.chat()) for _ in range(CHATS)]
        talks = [Talk(chat) for chat in chats]
        async with asyncio.TaskGroup() as group:
            for talk in talks:
                group.create_task(talk.run(is_over))
            await _until_further(talks)
            await meanwhile()
            await _until_further(talks)
            is_over.set()
    return talks


async def _until_further(talks: list[Talk]) -> None:
    """Each talk has gone on for a while."""
    before = [talk.answered for talk in talks]

    async def is_further() -> bool:
        return all(now.answered >= then + SOME for now, then in zip(talks, before, strict=True))

    await eventually(is_further, "all talk on", 20)


async def _break(estate: Estate, fault: str, system: System, kind: str) -> None:
    """Until there is another master, and both services hear it."""
    old = estate.master
    if fault == "hangs":
        old.freeze()
    else:
        old.child.kill()

    async def has_successor() -> bool:
        return estate.find() not in {old.port, old.tls_port}

    await eventually(has_successor, "another one is the master", 20)
    await _until_heard(system, kind)
    if fault == "hangs":
        old.thaw()


async def _until_heard(system: System, kind: str) -> None:
    """Both services hear Redis, and tell of which kind it is."""
    for url in (system.gateway, system.bridges[0]):
        async with httpx2.AsyncClient(base_url=url) as http:

            async def is_up(http: httpx2.AsyncClient = http) -> bool:
                found = (await http.get("/ready")).json()
                assert found["redis_kind"] == kind
                return bool(found["redis"]["is_up"])

            await eventually(is_up, "Redis is heard", 20)
