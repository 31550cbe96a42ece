"""What becomes of aliases that model providers refuse."""

import re
from uuid import UUID, uuid4

import pytest
from psycopg import Connection, sql

from shared.upgrade.migrate import migrate, roll_back

from .conftest import NAMES
from .rows import insert, insert_user

LATER_ONES = len(NAMES) - NAMES.index("0031-a2a-interfaces")
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


def add(connection: Connection, table: str, id_: UUID, name: str, alias: str, owner: UUID) -> None:
    apart = {"agents": "jwt", "a2acards": "server_url"}.get(table)
    row = {"id": id_, "name": name, "alias": alias, "creator_id": owner, "is_active": False}
    insert(connection, table, {**row, **OWN[table], **({apart: str(id_)} if apart else {})})


@pytest.mark.parametrize("table", OWN)
def test_aliases_that_do_not_fit_are_made_anew_and_no_two_the_same(
    database: str, connection: Connection, table: str
) -> None:
    migrate(database)
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
