"""One user in a small database and in one with 10,000 others: whether it is the same to him."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

from shared.tokens import issue_user_token
from tests.benchmarks.filling import fill, session_id, user_id
from tests.benchmarks.installation import Bench, Installation
from tests.benchmarks.load import Load, run_in_turn, run_load
from tests.benchmarks.people import Person, WrongAnswerError, close_chats, open_chats
from tests.benchmarks.results import Row, Target, at_most
from tests.benchmarks.wire import connections, http_request

USERS = 10_000  # with 100,000 agents, 10,000 flows, 200,000 chats and 2,000,000 log entries
CHAT_SECONDS, SECONDS, ROUNDS = 1.5, 0.5, 3
OK = 200

PATHS = {
    "history": f"/api/chat?session_id={session_id(1, 1)}",
    "logs of a chat": f"/api/logs/list?session_id={session_id(1, 1)}",
    "active agents": "/api/agents/active?agent_type=all",
    "chats": "/api/chats",
}
TARGETS: dict[str, Target] = {
    name: at_most(1.3, of_floor=True) for name in ("chat: p50", *(f"{each}: p50" for each in PATHS))
}


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """Medians in milliseconds on the large database; the floor is the small one."""
    large, small = bench.start(), bench.start()
    await asyncio.to_thread(fill, large.system.settings, USERS)
    await asyncio.to_thread(fill, small.system.settings, 1)
    chats = [
        (each, (await open_chats(each.system.gateway, [_person(each)]))[0])
        for each in (large, small)
    ]
    loads = [partial(run_load, [chat.ask], CHAT_SECONDS, each) for each, chat in chats]
    yield _row("chat: p50", *await run_in_turn(ROUNDS, *loads))
    await close_chats([chat for _, chat in chats])
    for name, path in PATHS.items():
        asking = [partial(_ask_again, each, path) for each in (large, small)]
        yield _row(f"{name}: p50", *await run_in_turn(ROUNDS, *asking))


def _person(installation: Installation) -> Person:
    id_ = user_id(1)
    return Person(str(id_), issue_user_token(installation.system.settings.secret_key, id_))


def _row(name: str, large: Load, small: Load) -> Row:
    return Row(name, large.ms(50), "ms", small.ms(50), large.cpu())


async def _ask_again(installation: Installation, path: str) -> Load:
    request = http_request("GET", path, token=_person(installation).token)
    async with connections(installation.system.gateway, 1) as [connection]:

        async def ask() -> None:
            if (answer := await connection.ask(request)).status != OK:
                raise WrongAnswerError(f"{answer.status} for {path}")

        return await run_load([ask], SECONDS, installation)
