"""How long sign-ins last, and what is out with its user."""

from datetime import timedelta
from typing import Any

import httpx2

from tests.gateway.shapes import good
from tests.gateway.signins.test_signins import OVER, log_in_offline, reason, refresh, sign_ins
from tests.sql import Sql
from tests.system import System
from tests.users import User, register_user


async def begin(person: User) -> tuple[dict[str, Any], str]:
    """A sign-in's tokens, and its id."""
    given = await log_in_offline(person)
    current = [each for each in await sign_ins(person, given["access_token"]) if each["is_current"]]
    return given, current[0]["id"]


async def test_a_refresh_token_that_is_not_used_ends(system: System, sql: Sql) -> None:
    async with register_user(system.gateway) as person:
        given, id_ = await begin(person)
        [row] = sql("SELECT expires_at - used_at AS unused FROM sign_ins WHERE id = %s", id_)
        assert row["unused"] == timedelta(days=30)
        sql("UPDATE sign_ins SET expires_at = now() WHERE id = %s", id_)
        assert reason(await refresh(person, given["refresh_token"])) == OVER


async def test_a_sign_in_ends_however_often_it_is_renewed(system: System, sql: Sql) -> None:
    async with register_user(system.gateway) as person:
        given, id_ = await begin(person)
        sql("UPDATE sign_ins SET created_at = now() - interval '89 days' WHERE id = %s", id_)
        given = good(await refresh(person, given["refresh_token"]))
        [row] = sql("SELECT expires_at - created_at AS whole FROM sign_ins WHERE id = %s", id_)
        assert row["whole"] == timedelta(days=90)


async def test_an_agent_of_a_locked_user_is_out(
    user: User, agent: httpx2.AsyncClient, sql: Sql
) -> None:
    assert (await agent.get("/api/agents")).status_code == 200
    sql("UPDATE users SET locked_at = now() WHERE id = %s", user.id)
    assert (await agent.get("/api/agents")).status_code == 401
    sql("UPDATE users SET locked_at = NULL WHERE id = %s", user.id)
    assert (await agent.get("/api/agents")).status_code == 200
