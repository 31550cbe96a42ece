"""Calls of an operation by everybody, and what each was told."""

import json
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import attrs
import httpx2
from attrs import frozen

from tests.gateway.belongings import Belongings, insert_person, make_belongings, select_belongings
from tests.gateway.ownership.callers import (
    KEYS,
    OTHERS_KEY,
    Caller,
    Reception,
    make_callers,
    make_keys,
)
from tests.gateway.ownership.entry import Entry
from tests.gateway.ownership.others import Others, insert_deletion, join
from tests.sql import Sql
from tests.system import System

OWN, FOREIGN = Reception.OWN, Reception.FOREIGN


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


async def visit_as_new_owner(world: World, entry: Entry, who: str, received: Reception) -> Visit:
    """What may be written is a new user's: everybody else is to find all objects."""
    owner = insert_person(world.sql, world.system)
    if received is Reception.MEMBER:
        join(world.sql, owner, world.others.member)
    insert_deletion(world.sql, owner)
    keys = make_keys(world.sql, owner) if who in KEYS else {}
    caller = world.callers(owner, keys or world.keys)[who]
    before = world.look(owner)
    try:
        return await visit_as(world, entry, caller, received, owner, before)
    finally:
        world.sql("DELETE FROM groups WHERE id = %s", owner.group_id)
        world.sql("DELETE FROM users WHERE id = %s", owner.user_id)


async def visit_as(
    world: World,
    entry: Entry,
    caller: Caller,
    received: Reception,
    target: Belongings,
    before: Any,
) -> Visit:
    """What a caller gets of the target, which has all that was there `before`."""
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
