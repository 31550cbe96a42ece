"""One of 100 users signs out, who have 1,000 sockets at two gateways: how soon his are closed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from time import perf_counter
from uuid import UUID, uuid4

from attrs import frozen

from shared.tokens import issue_user_token
from tests.benchmarks.idle import AT_A_TIME
from tests.benchmarks.installation import Bench, Installation
from tests.benchmarks.people import WrongAnswerError, insert_people, socket_url
from tests.benchmarks.results import Row, Target, at_most
from tests.benchmarks.wire import (
    BrokenConnectionError,
    Socket,
    allow_files,
    connections,
    http_request,
    open_sockets,
)
from tests.sql import run_sql
from tests.users import connect_to, insert_sign_in

USERS, EACH = 100, 10
ROUNDS = 5
CLOSED_SECONDS = 10.0
STRAY_SECONDS = 1.0
NO_CONTENT, UNAUTHORIZED = 204, 401

CLOSED, CALLED = "the last socket is closed", "a call is refused at the other gateway"
TARGETS: dict[str, Target] = {CLOSED: at_most(1), CALLED: at_most(1)}


@frozen
class Visitor:
    """A user's token, and his sockets, half of them at each gateway."""

    token: str
    sockets: Sequence[Socket]


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """Seconds from the logout, in the worst of some rounds; nobody else's socket is closed."""
    allow_files(3 * USERS * EACH)
    two = bench.start(pairs=2)
    visitors = await _visit(two)
    closed, called = [], []
    for _ in range(ROUNDS):
        leaving = visitors.pop()
        began = perf_counter()
        await _log_out(two, leaving.token)
        told = asyncio.create_task(_until_refused(two.system.gateways[1], leaving.token))
        await _until_closed(leaving.sockets)
        closed.append(perf_counter() - began)
        await told
        called.append(perf_counter() - began)
    yield Row(CLOSED, max(closed), "s")
    yield Row(CALLED, max(called), "s")
    await asyncio.sleep(STRAY_SECONDS)
    if any(not socket.is_open for visitor in visitors for socket in visitor.sockets):
        raise WrongAnswerError("a socket of somebody else was closed")


async def _visit(two: Installation) -> list[Visitor]:
    people, settings = insert_people(two.system.settings, USERS), two.system.settings
    visitors = []
    with run_sql(settings) as sql:
        for person in people:
            id_ = UUID(person.id)
            token = issue_user_token(settings.secret_key, id_, insert_sign_in(sql, id_))
            urls = [
                socket_url(two.system.gateways[number % 2], token, str(uuid4()))
                for number in range(EACH)
            ]
            visitors.append(Visitor(token, await open_sockets(urls, AT_A_TIME)))
    return visitors


async def _log_out(two: Installation, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    async with connect_to(two.system.gateways[0], **headers) as http:
        answer = await http.post("/api/logout")
    if answer.status_code != NO_CONTENT:
        raise WrongAnswerError(f"{answer.status_code} {answer.text}")


async def _until_refused(gateway: str, token: str) -> None:
    async with connections(gateway, 1) as [connection]:
        request = http_request("GET", "/api/agents", token=token)
        while (await connection.ask(request)).status != UNAUTHORIZED:
            pass


async def _until_closed(sockets: Sequence[Socket]) -> None:
    try:
        async with asyncio.timeout(CLOSED_SECONDS):
            for socket in sockets:
                with suppress(BrokenConnectionError):
                    await socket.receive()
                    raise WrongAnswerError("a socket was told something")
    except TimeoutError:
        raise WrongAnswerError("a socket was not closed") from None
