"""The REST API at 16 connections: every list, one object, and logging in."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import attrs
from attrs import field, frozen

from gateway.accounts.passwords import Passwords
from gateway.state import State
from shared.settings.installation import Settings
from tests.benchmarks.against import Sides
from tests.benchmarks.floors import start_floor_server
from tests.benchmarks.installation import Bench, Installation
from tests.benchmarks.load import Load, Work, rates_in_turn, run_load
from tests.benchmarks.people import WrongAnswerError
from tests.benchmarks.results import Row, Target, at_least, at_most
from tests.benchmarks.wire import Http, connections, http_request
from tests.gateway.belongings import Belongings, user_token
from tests.gateway.noted import (
    LISTING,
    Notebook,
    Sent,
    ask,
    insert_owner,
    make_state,
    open_notebook,
)
from tests.gateway.ownership.entries import ENTRIES, OPERATIONS
from tests.gateway.ownership.entry import Entry
from tests.sql import run_sql
from tests.users import PASSWORD, register_user

CONNECTIONS = 16
OK = 200
SECONDS = 0.1
LOGIN_SECONDS, LOGIN_ROUNDS = 1.0, 11
FEW, MANY = 20, 1000
ROUNDS = {FEW: 11, MANY: 5}
SECONDS_AGAINST, ROUNDS_AGAINST = 0.2, 5
PAGES = ("limit", "per_page")  # the parameters that say how much of a list is wanted

ONE = "one agent"
LOGIN = "login"
# Not /api/llm again, and neither what is found nor what is summed up: these are no long lists.
APART = ("/api/llms/", "/api/chats/search", "/api/usage")
LISTS = [name for name in LISTING if not any(each in name for each in APART)]

TARGETS: dict[str, Target] = {
    **{f"{name}, {FEW}": at_least(0.75, of_floor=True) for name in LISTS},
    **{f"{name}, {MANY}": at_least(0.8, of_floor=True) for name in LISTS},
    ONE: at_least(0.75, of_floor=True),
    LOGIN: at_least(0.95, of_floor=True),
}
AGAINST: dict[str, Target] = {
    **{f"{name}, {MANY}: calls": at_least(1.8, of_floor=True) for name in LISTS},
    f"{ONE}: CPU for each": at_most(1.03, of_floor=True),
}


@frozen
class Wanted:
    """What is called, of somebody with so many things."""

    name: str
    entry: Entry
    things: int

    def request(self, settings: Settings, owners: Mapping[int, Belongings]) -> bytes:
        """The call as it is sent."""
        owner = owners[self.things]
        call = self.entry.call(owner, owner)
        path = f"{call['url']}?{urlencode(call.get('params', {}))}"
        return http_request("GET", path, token=user_token(settings, owner))


@frozen
class Call:
    """A call of the gateway as it is sent, and what the gateway sends to PostgreSQL for it."""

    wanted: Wanted
    request: bytes = field(repr=False)
    sent: Sequence[Sent]


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """Calls per second, beside a bare route that runs the same SQL and returns the same bytes."""
    one = bench.start()
    gateway = one.system.gateway
    if bench.wants(LOGIN):
        yield await _measure_login(gateway)
    calls = await _note_calls(one.system.settings, _wanted(bench))
    bodies = [await _body(gateway, call.request) for call in calls]
    recipes = [
        {"statements": [attrs.astuple(each) for each in call.sent], "body": body.decode()}
        for call, body in zip(calls, bodies, strict=True)
    ]
    with TemporaryDirectory() as folder:
        bare = start_floor_server(one, Path(folder), recipes).url
        for number, (call, body) in enumerate(zip(calls, bodies, strict=True)):
            bare_request = http_request("GET", f"/calls/{number}")
            system, floor = await rates_in_turn(
                ROUNDS[call.wanted.things],
                partial(_ask_again, gateway, call.request, SECONDS, body),
                partial(_ask_again, bare, bare_request, SECONDS, body),
            )
            yield Row(call.wanted.name, system, "/s", floor)


async def measure_against(bench: Bench, sides: Sides) -> AsyncIterator[Row]:
    """The same calls, beside another commit, of an owner with as much."""
    now, before = (_insert_owners(side.system.settings) for side in (sides.now, sides.before))
    for wanted in _wanted(bench):
        async with (
            _asking_it(sides.now, wanted, now) as ours,
            _asking_it(sides.before, wanted, before) as theirs,
        ):
            beside = await sides.measure(
                ours, theirs, seconds=SECONDS_AGAINST, rounds=ROUNDS_AGAINST
            )
        for row in beside.rows(wanted.name, "calls"):
            yield row


async def _body(url: str, request: bytes) -> bytes:
    async with connections(url, 1) as [connection]:
        return (await connection.ask(request)).body


async def _ask_again(url: str, request: bytes, seconds: float, body: bytes | None = None) -> Load:
    """Ask the same over all connections; what is answered must always be this body, if given."""
    async with _asking(url, request, body) as workers:
        return await run_load(workers, seconds)


@asynccontextmanager
async def _asking(url: str, request: bytes, body: bytes | None) -> AsyncIterator[list[Work]]:
    async def work(connection: Http) -> None:
        answer = await connection.ask(request)
        if answer.status != OK or body not in {None, answer.body}:
            raise WrongAnswerError(f"{answer.status} for {request[:80]!r}")

    async with connections(url, CONNECTIONS) as opened:
        yield [partial(work, each) for each in opened]


@asynccontextmanager
async def _asking_it(
    one: Installation, wanted: Wanted, owners: Mapping[int, Belongings]
) -> AsyncIterator[list[Work]]:
    request, gateway = wanted.request(one.system.settings, owners), one.system.gateway
    async with _asking(gateway, request, await _body(gateway, request)) as workers:
        yield workers


def _wanted(bench: Bench) -> list[Wanted]:
    """Every list of few and of many things, and one object, unless only some are asked for."""
    [agent] = [entry for entry in ENTRIES if entry.line == "GET /api/agents/{agent_id}"]
    lists = [
        Wanted(f"{name}, {things}", _whole(LISTING[name]), things)
        for things in (FEW, MANY)
        for name in LISTS
    ]
    return [each for each in (*lists, Wanted(ONE, agent, FEW)) if bench.wants(each.name)]


def _insert_owners(settings: Settings) -> dict[int, Belongings]:
    """Somebody with few and somebody with many things."""
    with run_sql(settings) as sql:
        owners = {things: insert_owner(settings, sql, things).first for things in (FEW, MANY)}
        sql("ANALYZE")
    return owners


async def _note_calls(settings: Settings, wanted: Sequence[Wanted]) -> list[Call]:
    """The calls, with what each sends."""
    owners = _insert_owners(settings)
    async with open_notebook(settings) as notebook:
        with TemporaryDirectory() as folder:
            state = make_state(settings, notebook.database, folder)
            note = partial(_note, settings, notebook, state)
            return [
                Call(each, each.request(settings, owners), await note(owners[each.things], each))
                for each in wanted
            ]


async def _note(
    settings: Settings, notebook: Notebook, state: State, owner: Belongings, wanted: Wanted
) -> Sequence[Sent]:
    _, sent = await notebook.note(partial(ask, settings, state, owner, wanted.entry))
    return sent


def _whole(entry: Entry) -> Entry:
    """Ask for the whole list, where one may."""
    parameters = OPERATIONS[entry.line].parameters
    pages = {name: str(MANY) for name in PAGES if name in attrs.fields_dict(parameters)}
    return attrs.evolve(entry, query={**entry.query, **pages})


async def _measure_login(gateway: str) -> Row:
    """Logins of one user; the floor verifies his hash in as many threads, and does nothing else."""
    async with register_user(gateway) as user:
        form = urlencode({"username": user.name, "password": PASSWORD}).encode()
    kind = "application/x-www-form-urlencoded"
    request = http_request("POST", "/api/login/access-token", len(form), kind=kind) + form
    passwords = Passwords()
    verify = partial(passwords.verify, PASSWORD, await passwords.hash(PASSWORD))
    system, floor = await rates_in_turn(
        LOGIN_ROUNDS,
        lambda: _ask_again(gateway, request, LOGIN_SECONDS),
        lambda: run_load([verify] * CONNECTIONS, LOGIN_SECONDS),
    )
    passwords.close()
    return Row(LOGIN, system, "/s", floor)
