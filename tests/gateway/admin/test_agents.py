"""Agents by the command, and who is connected where."""

import pytest

from tests.gateway.admin.commands import Admin
from tests.sql import Sql
from tests.users import User

DOOR = "aaaaaaaa-6d0e-4d3c-9a51-7f2f6f3a0b1d"
CONNECTION = "bbbbbbbb-6d0e-4d3c-9a51-7f2f6f3a0b1d"


async def test_agents_are_listed_with_their_users(admin: Admin, user: User) -> None:
    agent = await user.register_agent("painter", "paints")
    [listed] = (await admin.soon("agents", "list", "--user", user.name, "--json")).lines
    assert (listed["agent_id"], listed["username"]) == (agent["id"], user.name)
    assert (listed["is_connected"], listed["via"], listed["bridge_id"]) == (False, None, None)
    none = await admin.soon("agents", "list", "--user", user.name, "--connected")
    assert (none.code, none.out, none.err) == (0, "", "There are none.\n")
    assert agent["jwt"] not in (await admin.soon("agents", "list", "--user", user.id)).out


@pytest.fixture
def door(sql: Sql) -> None:
    sql("INSERT INTO doors VALUES (%s, now() + interval '1 minute')", DOOR)


async def test_where_an_agent_came_in_is_listed(
    admin: Admin, user: User, sql: Sql, door: None
) -> None:
    ids = [(await user.register_agent(name, "x"))["id"] for name in ("at a door", "at the router")]
    sql("UPDATE agents SET is_active = true WHERE id = ANY(%s::uuid[])", ids)
    for identity, agent in ((ids[0], ids[0]), ("master", None)):
        sql(
            "INSERT INTO door_connections (identity, agent_id, connection_id, bridge_id)"
            " VALUES (%s, %s, %s, %s)",
            *(identity, agent, CONNECTION, DOOR),
        )
    listed = (await admin.soon("agents", "list", "--user", user.id, "--connected", "--json")).lines
    assert {each["agent_id"]: (each["via"], each["bridge_id"]) for each in listed} == {
        ids[0]: ("door", DOOR),
        ids[1]: ("router", None),
    }
    doors = (await admin.soon("agents", "doors", "--json")).lines
    [noted] = [each for each in doors if each["bridge_id"] == DOOR]
    assert (noted["is_open"], noted["agents"], noted["has_master_agent"]) == (True, 1, True)
    sql("DELETE FROM door_connections WHERE bridge_id = %s", DOOR)
    sql("DELETE FROM doors WHERE bridge_id = %s", DOOR)
