"""Adding the users of a CSV file: each line by itself, so that it can be killed and run again."""

import asyncio
import csv
from collections.abc import Callable, Iterable, Iterator
from itertools import batched
from typing import TextIO

from attrs import define, field, frozen
from databases.core import Connection

from gateway.accounts import queries
from gateway.accounts.passwords import Passwords
from gateway.accounts.schemas import NewUser, ProfileChanges
from gateway.admin.faults import AdminError, RefusedError, UsageError
from gateway.admin.work.installation import Installation
from gateway.admin.work.users import add_user, check_new_user, hash_new, hashing
from gateway.audit.noting import COMMAND
from gateway.audit.queries import set_actor
from shared.codec.converter import structure
from shared.codec.faults import InvalidInputError
from shared.postgres.pool import transaction

NEEDED = ("username", "password")
ALLOWED = (*NEEDED, "first_name", "last_name")
BATCH = 16  # passwords that are hashed, in the threads that there are, before users are stored

type Row = dict[str, str]


@frozen(slots=False)
class RefusedLine:
    """A line of the file that made no user."""

    line: int
    username: str
    reason: str


@define(slots=False)
class Imported:
    """What became of a file."""

    created: int = 0
    refused: list[RefusedLine] = field(factory=list)


@frozen
class _Line:
    number: int
    row: Row = field(repr=False)


@frozen
class _Checked:
    line: _Line
    user: NewUser = field(repr=False)
    profile: ProfileChanges


async def import_users(
    installation: Installation, file: TextIO, tell: Callable[[str], None]
) -> Imported:
    """Add a user for each line. Raises UsageError for columns that say something else."""
    outcome = Imported()
    with hashing(installation) as passwords:
        for lines in batched(_read_lines(file), BATCH):
            checked = [*_check(installation, lines, outcome)]
            hashes = await asyncio.gather(*(_hash(passwords, one) for one in checked))
            async with installation.connection() as connection:
                for one, hashed in zip(checked, hashes, strict=True):
                    await _add(connection, one, hashed, outcome)
            tell(f"line {lines[-1].number}: {outcome.created} users created")
    outcome.refused.sort(key=lambda one: one.line)
    return outcome


async def _hash(passwords: Passwords, one: _Checked) -> str | RefusedError:
    try:
        return await hash_new(passwords, one.user.password)
    except RefusedError as reason:
        return reason


def _read_lines(file: TextIO) -> Iterator[_Line]:
    reader = csv.DictReader(file, strict=True)
    try:
        names = reader.fieldnames or ()
        if wrong := _objection_to(names):
            raise UsageError(wrong)
        for row in reader:
            yield _Line(reader.line_num, row)
    except csv.Error as error:
        raise AdminError(f"What follows line {reader.line_num} is no CSV: {error}.") from None
    except UnicodeDecodeError:
        raise AdminError(f"What follows line {reader.line_num} is not UTF-8.") from None


def _objection_to(names: Iterable[str]) -> str | None:
    names = list(names)
    if missing := [name for name in NEEDED if name not in names]:
        return f"The first line must name the columns {' and '.join(missing)}."
    if unknown := [name for name in names if name not in ALLOWED]:
        return f"There is no column {unknown[0]!r}: there may be {', '.join(ALLOWED)}."
    if len(names) > len(set(names)):
        return "A column is named twice."
    return None


def _check(
    installation: Installation, lines: Iterable[_Line], outcome: Imported
) -> Iterator[_Checked]:
    for line in lines:
        try:
            yield _check_line(installation, line)
        except RefusedError as reason:
            _refuse(outcome, line, reason)


def _check_line(installation: Installation, line: _Line) -> _Checked:
    row = line.row
    if None in row or None in row.values():
        raise RefusedError("It has another number of values than the first line.")
    user = check_new_user(installation, row["username"], row["password"])
    return _Checked(line, user, _profile_of(row))


def _profile_of(row: Row) -> ProfileChanges:
    given = {name: row[name] for name in ("first_name", "last_name") if row.get(name)}
    try:
        return structure(given, ProfileChanges)
    except InvalidInputError as error:
        raise RefusedError("; ".join(map(str, error.faults))) from None


async def _add(
    connection: Connection, one: _Checked, hashed: str | RefusedError, outcome: Imported
) -> None:
    try:
        if isinstance(hashed, RefusedError):
            raise hashed
        async with transaction(connection):
            await set_actor(connection, COMMAND.said())
            user = await add_user(connection, one.user, hashed)
            await queries.update_profile(connection, user.id, user.id, one.profile)
    except RefusedError as reason:
        _refuse(outcome, one.line, reason)
    else:
        outcome.created += 1


def _refuse(outcome: Imported, line: _Line, reason: RefusedError) -> None:
    outcome.refused.append(RefusedLine(line.number, line.row["username"] or "", str(reason)))
