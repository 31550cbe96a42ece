"""What every operation tells and does to everybody who calls it, for one user's objects."""

import json
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import attrs
import httpx2
import pytest
from attrs import frozen

from gateway.web.auth import Access
from gateway.web.errors import InsufficientScopeError
from gateway.web.scopes import Scope
from tests.gateway.belongings import Belongings, insert_person, make_belongings, select_belongings
from tests.gateway.outsiders import answering, make_card, make_mcp, running, serving
from tests.gateway.ownership.callers import (
    KEYS,
    MEMBER,
    OTHERS_KEY,
    Caller,
    Reception,
    insert_key,
    make_callers,
    make_keys,
    reception,
)
from tests.gateway.ownership.entries import ENTRIES, OPERATIONS
from tests.gateway.ownership.entry import Entry, Foreign
from tests.gateway.ownership.others import Others, insert_deletion, insert_others, join
from tests.sql import Sql
from tests.system import System
from tests.users import connect_to

OWN, FOREIGN = Reception.OWN, Reception.FOREIGN
REFUSALS = {Foreign.UNKNOWN, Foreign.TAKEN}
# What members of his group may be told of an owner; his marker is in all texts.
SHARED = {
    *("user_id", "marker", "group_id", "share_id"),
    *("agent_id", "flow_id", "config_id", "server_id", "card_id", "tool_id"),
}
ALIKE = {Foreign.UNKNOWN, Foreign.EMPTY}
# Where anyone may call, credentials are not looked at.
STRANGERS = {"another user", "nobody", "the service for the owner"}


@frozen
class World:
    """Two users with objects of each kind, and where everybody calls."""

    http: httpx2.AsyncClient
    system: System
    sql: Sql
    servers: dict[str, str]
    owner: Belongings
    others: Others
    keys: dict[str, str]
    others_key: str

    @property
    def other(self) -> Belongings:
        """Another user, who has nothing to do with the owner."""
        return self.others.other

    def callers(self, owner: Belongings, keys: dict[str, str]) -> dict[str, Caller]:
        """Everybody, as seen from this owner's objects."""
        keys = {**keys, OTHERS_KEY: self.others_key}
        deleted = make_belongings(self.system.settings, owner.user_id)
        return make_callers(self.system, keys, owner, self.others, deleted)

    def look(self, at: Belongings) -> Any:
        """All that a user has, the bytes of the file included."""
        file = self.system.files / f"{at.file_id}.txt"
        return select_belongings(self.sql, at), file.read_bytes() if file.exists() else None


@frozen
class Visit:
    """A call, and what came of it."""

    received: Reception
    target: Belongings
    said: str
    status: int
    headers: dict[str, str]
    body: str
    has_changed: bool

    @property
    def text(self) -> str:
        """All that was answered."""
        return f"{self.headers} {self.body}"

    @property
    def detail(self) -> str:
        """Why the caller was not let in, or nothing."""
        if self.received in {OWN, FOREIGN, Reception.MEMBER}:
            return ""
        return sentence_of(json.loads(self.body))

    @property
    def told(self) -> set[str]:
        """What the caller was told of the target's and had not said itself."""
        known = {*attrs.asdict(self.target).values(), ""}
        return {each for each in known if each and each in self.text and each not in self.said}

    def without_names(self) -> tuple[int, str]:
        """The answer with the kind of each id in place of it."""
        text = self.text
        for kind, value in attrs.asdict(self.target).items():
            text = text.replace(value, f"<{kind}>") if value else text
        return self.status, text


def sentence_of(told: Any) -> str:
    """What a refusal says, whatever its form."""
    return str(told["detail"] if "detail" in told else told["error"]["message"])


@frozen
class Visits:
    """The calls of one entry, by caller; and that of another user for what nobody has."""

    entry: Entry
    by_caller: dict[str, Visit]
    for_nothing: Visit | None
    """Where it is to be the same as for what is another user's."""
    has_made: bool

    @property
    def outsiders(self) -> dict[str, Visit]:
        """The calls of those who are not the owner, and may not use what is his."""
        let_in = {OWN, Reception.MEMBER}
        return {who: visit for who, visit in self.by_caller.items() if visit.received not in let_in}

    @property
    def insiders(self) -> dict[str, Visit]:
        """The calls of those who are the owner, or call for him."""
        return {who: visit for who, visit in self.by_caller.items() if visit.received is OWN}


@pytest.fixture(scope="module")
async def world(anyio_backend: str, system: System, sql: Sql) -> AsyncIterator[World]:
    """Both users, and two servers that can be looked up.

    Sign-ins are made up here, of which the gateway asks for none that is recent.
    """
    system.start_gateway(RECENT_SIGN_IN_SECONDS="0")
    card = answering(
        {"name": make_card().name, "description": "d", "version": "1.0.0", "skills": []}
    )
    async with (
        running(make_mcp("tool")) as [mcp],
        serving(mcp) as mcp_server,
        serving(card) as a2a_server,
        connect_to(system.gateways.pop()) as http,
    ):
        servers = {"mcp_url": f"{mcp_server.url}/mcp", "a2a_url": a2a_server.url}
        owner = insert_person(sql, system)
        others = insert_others(sql, system, owner)
        insert_deletion(sql, owner)
        keys = make_keys(sql, owner), insert_key(sql, others.other.user_id, Scope.READ)
        yield World(http, system, sql, servers, owner, others, *keys)


@pytest.fixture(scope="module", params=ENTRIES, ids=str)
async def visits(anyio_backend: str, request: pytest.FixtureRequest, world: World) -> Visits:
    """Everybody calls."""
    entry: Entry = request.param
    operation = OPERATIONS[entry.line]
    owners, others = world.look(world.owner), world.look(world.other)
    callers = world.callers(world.owner, world.keys)
    by_caller = {}
    for who, caller in callers.items():
        received = reception(who, operation)
        if who == MEMBER and entry.for_member is not None:
            received = Reception.MEMBER
        if operation.access is Access.ANYONE and who not in STRANGERS:
            continue
        if received in {OWN, Reception.MEMBER} and entry.method != "GET":
            by_caller[who] = await _call_of_new_owner(world, entry, who, received)
        else:
            by_caller[who] = await _call(world, entry, caller, received, world.owner, owners)
    has_made = world.look(world.other) != others
    for_nothing = None
    if entry.foreign in ALIKE:
        nothing = Belongings()
        for_nothing = await _call(world, entry, callers["another user"], FOREIGN, nothing, None)
    return Visits(entry, by_caller, for_nothing, has_made)


async def _call_of_new_owner(world: World, entry: Entry, who: str, received: Reception) -> Visit:
    """What may be written is a new user's: everybody else is to find all objects."""
    owner = insert_person(world.sql, world.system)
    if received is Reception.MEMBER:
        join(world.sql, owner, world.others.member)
    insert_deletion(world.sql, owner)
    keys = make_keys(world.sql, owner) if who in KEYS else {}
    caller = world.callers(owner, keys or world.keys)[who]
    before = world.look(owner)
    try:
        return await _call(world, entry, caller, received, owner, before)
    finally:
        world.sql("DELETE FROM groups WHERE id = %s", owner.group_id)
        world.sql("DELETE FROM users WHERE id = %s", owner.user_id)


async def _call(
    world: World,
    entry: Entry,
    caller: Caller,
    received: Reception,
    target: Belongings,
    before: Any,
) -> Visit:
    mine = target if received is OWN else caller.has or world.other
    call = entry.call(target, mine, **world.servers, invited=world.other.marker)
    call["params"] = {**call.get("params", {}), **caller.query}
    shown = {**caller.headers, **entry.headers}
    async with world.http.stream(**call, headers=shown) as answer:
        text = await _read(answer)
    has_changed = world.look(target) != before
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    said = f"{call} {caller}"
    return Visit(received, target, said, answer.status_code, headers, text, has_changed)


async def _read(answer: httpx2.Response) -> str:
    """All that is answered; of a stream, which has no end, what comes up to the first event."""
    if answer.headers.get("content-type") == "application/zip":
        archive = ZipFile(BytesIO(await answer.aread()))
        return b"".join(map(archive.read, archive.namelist())).decode()
    if not answer.headers.get("content-type", "").startswith("text/event-stream"):
        return (await answer.aread()).decode()
    lines: list[str] = []
    async for line in answer.aiter_lines():
        lines.append(line)
        if line.startswith("data: "):
            break
    return "\n".join(lines)


def test_every_operation_has_an_entry_and_every_entry_an_operation() -> None:
    assert {entry.line for entry in ENTRIES} == OPERATIONS.keys()


def test_everybody_is_received_as_the_table_says(visits: Visits) -> None:
    own = visits.entry.own
    let_in = {
        OWN: own,
        FOREIGN: visits.entry.refused if visits.entry.foreign in REFUSALS else own,
        Reception.MEMBER: visits.entry.for_member,
    }
    unfit = 403, str(InsufficientScopeError(OPERATIONS[visits.entry.line].opened_by))
    refused = {each: each.value for each in Reception} | {Reception.UNFIT: unfit}
    expected = {
        who: (let_in[visit.received], "") if visit.received in let_in else refused[visit.received]
        for who, visit in visits.by_caller.items()
    }
    found = {who: (visit.status, visit.detail) for who, visit in visits.by_caller.items()}
    assert found == expected
    for visit in visits.by_caller.values():
        asks = visit.status == 401 or visit.received is Reception.UNFIT
        asked = "Bearer" if asks else ""
        assert visit.headers.get("www-authenticate", "").partition(" ")[0] == asked


def test_the_owner_is_shown_what_is_his_and_changes_what_he_writes(visits: Visits) -> None:
    for visit in visits.insiders.values():
        if visits.entry.method == "GET":
            assert visit.told or visits.entry.foreign in {Foreign.SAME, Foreign.NOBODYS}
            assert not visit.has_changed
        else:
            assert visit.has_changed == (visits.entry.own < 400 and visits.entry.changes)


def test_an_outsider_is_told_nothing_of_the_owner(visits: Visits) -> None:
    assert {who: visit.told for who, visit in visits.outsiders.items() if visit.told} == {}


def test_a_member_of_the_owners_group_is_told_of_what_is_shared_alone(visits: Visits) -> None:
    for visit in visits.by_caller.values():
        if visit.received is Reception.MEMBER:
            names = {value: name for name, value in attrs.asdict(visit.target).items()}
            assert {names[each] for each in visit.told} <= SHARED
            assert visit.told or visits.entry.method != "GET"


def test_an_outsider_changes_nothing_of_the_owner(visits: Visits) -> None:
    assert [who for who, visit in visits.outsiders.items() if visit.has_changed] == []


def test_a_refusal_says_what_is_not_there(visits: Visits) -> None:
    visit = visits.by_caller["another user"]
    if visits.entry.says:
        says = visits.entry.says.format_map(attrs.asdict(visit.target))
        told = json.loads(visit.body)
        is_login = visits.entry.line == "POST /api/login/access-token"
        of_oauth = {"error", "error_description"} if is_login else set()
        has_form = any(prefix in visits.entry.line for prefix in (" /v1/", " /a2a/"))
        assert told.keys() == ({"error"} if has_form else {"detail", *of_oauth})
        assert sentence_of(told) == says


def test_another_user_gets_what_the_table_says(visits: Visits, world: World) -> None:
    visit = visits.by_caller["another user"]
    match visits.entry.foreign:
        case Foreign.UNKNOWN | Foreign.EMPTY:
            assert visits.for_nothing is not None
            assert visit.without_names() == visits.for_nothing.without_names()
        case Foreign.OTHERS:
            assert world.other.marker in visit.body
        case Foreign.SAME:
            let_in = [one for one in visits.by_caller.values() if one.received in {OWN, FOREIGN}]
            assert {one.without_names() for one in let_in} == {visit.without_names()}
    assert visits.has_made == (visits.entry.foreign is Foreign.MAKES)
