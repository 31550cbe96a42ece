"""What becomes of aliases that model providers refuse."""

import re
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from psycopg import Connection, sql

from shared.upgrade.migrate import migrate, roll_back

from .conftest import NAMES
from .rows import insert, insert_user

LATER_ONES = len(NAMES) - NAMES.index("0031-a2a-interfaces")
SINCE_SHARES = len(NAMES) - NAMES.index("0040-roles-and-groups")
ALIASES = {  # by name: as it was stored, and what is made of it
    "good": ("agent-1_abcdef", "agent-1_abcdef"),
    "wetter.süd": ("wetter.süd_abcdef", r"wetter_s_d_[a-p]{6}"),
    "旅行": ("旅行_abcdef", r"agent_[a-p]{6}"),
    "n" * 55: ("n" * 70, r"n{55}_[a-p]{6}"),
}


OWN = {  # columns of these tables alone
    "agents": {"description": "", "input_parameters": "{}"},
    "agentworkflows": {"description": "", "flow": "[]"},
    "a2acards": {"card_content": "{}"},
}
# Their digests begin with the same six digits.
ALIKE = [
    UUID("8b51264e-ae70-036e-2ce5-85a17c3157a8"),
    UUID("dbf51993-1c5f-dd18-3508-532c43887180"),
    UUID("bcbe6c02-9542-6a6c-e526-0fbce922aafc"),
]
ALIKE_ALIAS = r"agent(_[0-9a-f]{8})?_hnampp"


@pytest.fixture
def beginning(migrated_database: str) -> str:
    return migrated_database


def add(connection: Connection, table: str, id_: UUID, name: str, alias: str, owner: UUID) -> None:
    apart = {"agents": "jwt", "a2acards": "server_url"}.get(table)
    row = {"id": id_, "name": name, "alias": alias, "creator_id": owner, "is_active": False}
    insert(connection, table, {**row, **OWN[table], **({apart: str(id_)} if apart else {})})


@pytest.mark.parametrize("table", OWN)
def test_aliases_that_do_not_fit_are_made_anew_and_no_two_the_same(
    database: str, connection: Connection, table: str
) -> None:
    roll_back(database, LATER_ONES)
    owner = insert_user(connection)
    for name, (alias, _) in ALIASES.items():
        add(connection, table, uuid4(), name, alias, owner)
    for id_ in ALIKE:
        add(connection, table, id_, "画", f"画_{id_}", owner)
    add(connection, table, uuid4(), "agent", "agent_hnampp", owner)
    migrate(database)
    query = sql.SQL("SELECT name, alias FROM {}").format(sql.Identifier(table))
    found = connection.execute(query).fetchall()
    for name, alias in found:
        assert re.fullmatch(ALIASES[name][1] if name in ALIASES else ALIKE_ALIAS, alias)
    assert len({alias for _, alias in found}) == len(found) == len(ALIASES) + len(ALIKE) + 1


def add_tool(connection: Connection, id_: UUID, name: str, alias: str | None, owner: UUID) -> None:
    """A tool of a server of its own."""
    server = {
        "id": uuid4(),
        "name": name,
        "server_url": f"http://{id_}",
        "creator_id": owner,
        "is_active": False,
    }
    insert(connection, "mcpservers", server)
    tool = {"id": id_, "name": name, "inputSchema": "{}", "alias": alias}
    insert(connection, "mcptools", {**tool, "mcp_server_id": server["id"]})


def add_card(connection: Connection, id_: UUID, name: str, alias: str | None, owner: UUID) -> None:
    add(connection, "a2acards", id_, name, alias or "", owner)


@pytest.mark.parametrize(("table", "add_one"), [("mcptools", add_tool), ("a2acards", add_card)])
def test_of_those_with_one_alias_the_oldest_keeps_it_and_others_get_new_letters(
    database: str, connection: Connection, table: str, add_one: Callable[..., None]
) -> None:
    roll_back(database, SINCE_SHARES)
    oldest, *younger, other = [uuid4() for _ in range(5)]
    names = dict.fromkeys((oldest, *younger), "look_up") | {other: "other"}
    query = sql.SQL("UPDATE {} SET created_at = %s WHERE id = %s").format(sql.Identifier(table))
    for day, (id_, name) in enumerate(names.items(), 1):
        add_one(connection, id_, name, f"{name}_abcdef", insert_user(connection))
        connection.execute(query, [f"2026-01-0{day}", id_])
    migrate(database)
    found: dict[UUID, str] = dict(
        connection.execute(
            sql.SQL("SELECT id, alias FROM {}").format(sql.Identifier(table))
        ).fetchall()
    )
    assert (found[oldest], found[other]) == ("look_up_abcdef", "other_abcdef")
    for id_ in younger:
        assert re.fullmatch(r"look_up_[a-p]{6}", found[id_])
    assert len({*found.values()}) == len(found) == 5
