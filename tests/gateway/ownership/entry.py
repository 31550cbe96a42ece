"""How an operation is called for an object, and what it gives for another user's.

`{…}` in a path, a query or a body stands for what the object's owner has, `{my_…}` for what the
caller has, `{new}` and `{new_id}` for something new.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any
from uuid import uuid4

import attrs
from attrs import field, frozen

from tests.gateway.belongings import Belongings


class Foreign(Enum):
    """What asking for another user's object gives."""

    UNKNOWN = "a refusal, as if there were no such object"
    EMPTY = "nothing, as if there were no such object"
    OTHERS = "the caller's own objects"
    MAKES = "a new object of the caller's"
    SAME = "the same for everybody"
    NOBODYS = "a refusal, and whoever is let in nothing of any user's"
    TAKEN = "a refusal, for an id or name that only one can have"


@frozen
class Entry:
    """One way to call an operation; `own` is the status for the owner.

    `says` is the sentence of a refusal, which another user gets with the status `refused`.
    `for_member` is the status for a member of the owner's group, where he may use the object;
    `changes` whether a call that is no reading changes something of the owner's.
    """

    line: str
    foreign: Foreign
    own: int = 200
    note: str = ""
    says: str = ""
    refused: int = 400
    for_member: int | None = None
    changes: bool = True
    path: str = ""
    query: Mapping[str, Any] = field(factory=dict)
    json: Any = None
    form: Mapping[str, Any] | None = None
    file: bool = False
    headers: Mapping[str, str] = field(factory=dict)

    def __str__(self) -> str:
        return f"{self.line} {self.note}".strip()

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.line.split(" ")[0]

    def call(self, of: Belongings, caller: Belongings, **more: str) -> dict[str, Any]:
        """The arguments of a request about somebody's belongings."""
        new = {"new": f"new{uuid4().hex}", "new_id": str(uuid4())}
        mine = {f"my_{name}": value for name, value in attrs.asdict(caller).items()}
        names = {**attrs.asdict(of), **mine, **new, **more}
        given = {"params": self.query, "json": self.json, "data": self.form}
        files = {"file": ("a.txt", b"new", "text/plain")} if self.file else None
        url = (self.path or self.line.split(" ")[1]).format_map(names)
        filled = {name: _fill(value, names) for name, value in given.items() if value is not None}
        return {"method": self.method, "url": url, **filled, "files": files}


def _fill(value: Any, names: Mapping[str, str]) -> Any:
    match value:
        case str():
            return value.format_map(names)
        case list():
            return [_fill(each, names) for each in value]
        case Mapping():
            return {key: _fill(each, names) for key, each in value.items()}
    return value


UNKNOWN, EMPTY, OTHERS, MAKES, SAME, NOBODYS, TAKEN = Foreign
