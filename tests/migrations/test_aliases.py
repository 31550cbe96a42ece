"""What becomes of aliases that model providers refuse."""

import re
from uuid import uuid4

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


@pytest.mark.parametrize("table", ["agents", "agentworkflows", "a2acards"])
def test_aliases_that_do_not_fit_are_made_anew(
    database: str, connection: Connection, table: str
) -> None:
    migrate(database)
    roll_back(database, LATER_ONES)
    owner = insert_user(connection)
    for name, (alias, _) in ALIASES.items():
        row = {"id": uuid4(), "name": name, "alias": alias, "creator_id": owner}
        own = {
            "agents": {"jwt": name, "description": "", "input_parameters": "{}"},
            "agentworkflows": {"description": "", "flow": "[]"},
            "a2acards": {"server_url": name, "card_content": "{}"},
        }
        insert(connection, table, {**row, **own[table], "is_active": False})
    migrate(database)
    query = sql.SQL("SELECT name, alias FROM {}").format(sql.Identifier(table))
    for name, alias in connection.execute(query).fetchall():
        assert re.fullmatch(ALIASES[name][1], alias)
