"""The REST API at 16 connections: every list, one object, and logging in."""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import attrs
from attrs import field, frozen

from gateway.accounts.passwords import Passwords
from gateway.state import State
from shared.settings.installation import Settings
from tests.benchmarks.floors import start_floor_server
from tests.benchmarks.installation import Bench
from tests.benchmarks.load import Load, rates_in_turn, run_load
from tests.benchmarks.people import WrongAnswerError
from tests.benchmarks.results import Row, Target, at_least
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
ROUNDS = {FEW: 11, MANY: 1}  # what has a target is measured for longer
PAGES = ("limit", "per_page")  # the parameters that say how much of a list is wanted

ONE = "one agent"
LOGIN = "login"
LISTS = [name for name in LISTING if "/api/llms/" not in name]  # that is /api/llm again

TARGETS: dict[str, Target] = {
    **{f"{name}, {FEW}": at_least(0.5, of_floor=True) for name in LISTS},
    LOGIN: at_least(0.9, of_floor=True),
}


@frozen
class Call:
    """A call of the gateway as it is sent, and what the gateway sends to PostgreSQL for it."""

    name: str
    request: bytes = field(repr=False)
    sent: Sequence[Sent]
    rounds: int


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """Calls per second, beside a bare route that runs the same SQL and returns the same bytes."""
    one = bench.start()
    gateway = one.system.gateway
    yield await _measure_login(gateway)
    calls = await _note_calls(one.system.settings)
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
                call.rounds,
                partial(_ask_again, gateway, call.request, SECONDS, body),
                partial(_ask_again, bare, bare_request, SECONDS, body),
            )
            yield Row(call.name, system, "/s", floor)


async def _body(url: str, request: bytes) -> bytes:
    async with connections(url, 1) as [connection]:
        return (await connection.ask(request)).body


async def _ask_again(url: str, request: bytes, seconds: float, body: bytes | None = None) -> Load:
    """Ask the same over all connections; what is answered must always be this body, if given."""

    async def work(connection: Http) -> None:
        answer = await connection.ask(request)
        if answer.status != OK or body not in {None, answer.body}:
            raise WrongAnswerError(f"{answer.status} for {request[:80]!r}")

    async with connections(url, CONNECTIONS) as opened:
        return await run_load([partial(work, each) for each in opened], seconds)


async def _note_calls(settings: Settings) -> list[Call]:
    """Every list of somebody with few and with many things, and one object."""
    entries = [LISTING[name] for name in LISTS]
    [agent] = [entry for entry in ENTRIES if entry.line == "GET /api/agents/{agent_id}"]
    with run_sql(settings) as sql:
        few, many = insert_owner(settings, sql, FEW), insert_owner(settings, sql, MANY)
        sql("ANALYZE")
    async with open_notebook(settings) as notebook:
        with TemporaryDirectory() as folder:
            state = make_state(settings, notebook.database, folder)
            note = partial(_note, settings, notebook, state)
            lists = [
                await note(f"{entry}, {number}", _whole(entry), owner.first, ROUNDS[number])
                for number, owner in ((FEW, few), (MANY, many))
                for entry in entries
            ]
            return [*lists, await note(ONE, agent, few.first, ROUNDS[FEW])]


def _whole(entry: Entry) -> Entry:
    """Ask for the whole list, where one may."""
    parameters = OPERATIONS[entry.line].parameters
    pages = {name: str(MANY) for name in PAGES if name in attrs.fields_dict(parameters)}
    return attrs.evolve(entry, query={**entry.query, **pages})


async def _note(
    settings: Settings,
    notebook: Notebook,
    state: State,
    name: str,
    entry: Entry,
    of: Belongings,
    rounds: int,
) -> Call:
    _, sent = await notebook.note(partial(ask, settings, state, of, entry))
    call = entry.call(of, of)
    path = f"{call['url']}?{urlencode(call.get('params', {}))}"
    return Call(name, http_request("GET", path, token=user_token(settings, of)), sent, rounds)


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
