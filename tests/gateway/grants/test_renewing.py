"""Tokens are renewed before they end, by one gateway at a time, and end for good when they must."""

import asyncio
from typing import Any
from uuid import UUID

import httpx2
import pytest
from databases import Database

from gateway.grants import queries, renewing
from gateway.grants.renewing import Renewals
from gateway.mcp.kind import MCP_SERVERS
from gateway.remote.kinds import Target
from gateway.remote.shares import Shares
from shared.postgres.pool import DatabaseAwayError
from shared.secrets import Vault
from tests.gateway.grants.authority import Authority
from tests.gateway.grants.logins import log_in
from tests.gateway.grants.renewals import OUT, claim, read, renew, stored, token_of, until_renewed
from tests.sql import Sql
from tests.users import User


async def test_it_is_due_before_the_token_ends(sql: Sql, server_id: UUID) -> None:
    assert 3600 - 300 - 30 < stored(sql, server_id)["due_in"] <= 3600 - 300


async def test_the_master_agent_gets_the_new_token(
    person: User, authority: Authority, renewals: Renewals, sql: Sql, server_id: UUID
) -> None:
    before = await token_of(person)
    await renew(renewals, server_id)
    after = await token_of(person)
    assert after != before
    assert list(authority.access) == [before, after]
    row = stored(sql, server_id)
    assert row["oauth_claimed_at"] is None
    assert row["due_in"] > 3000


async def test_what_is_due_is_renewed_by_the_gateways_themselves(
    person: User, authority: Authority, sql: Sql, server_id: UUID
) -> None:
    sql("UPDATE mcpservers SET oauth_due_at = now() WHERE id = %s", server_id)
    await until_renewed(sql, server_id)
    assert authority.renewals == 1
    assert (await read(person, server_id))["authorization"] == "given"


async def test_of_many_gateways_one_renews(
    authority: Authority, database: Database, vault: Vault, sql: Sql, server_id: UUID
) -> None:
    gateways = [Renewals(database, vault, OUT) for _ in range(8)]
    sql("UPDATE mcpservers SET oauth_due_at = now() WHERE id = %s", server_id)
    await asyncio.gather(
        *(asyncio.create_task(each.renew(server_id)) for each in gateways for _ in range(2))
    )
    await until_renewed(sql, server_id)
    assert authority.renewals == 1


async def test_who_dies_meanwhile_is_followed_by_another(
    authority: Authority, renewals: Renewals, sql: Sql, server_id: UUID
) -> None:
    claimed = """
        UPDATE mcpservers
        SET oauth_due_at = now(), oauth_claimed_at = now() - make_interval(secs => %s)
        WHERE id = %s
    """
    sql(claimed, renewing.CLAIM_SECONDS - 10, server_id)
    await renewals.renew(server_id)
    assert authority.renewals == 0
    sql(claimed, renewing.CLAIM_SECONDS + 1, server_id)
    await renewals.renew(server_id)
    await until_renewed(sql, server_id)
    assert authority.renewals == 1


async def test_a_grant_that_was_replaced_meanwhile_stays(
    person: User,
    browser: httpx2.AsyncClient,
    authority: Authority,
    renewals: Renewals,
    sql: Sql,
    server_id: UUID,
) -> None:
    claimed = await claim(renewals, server_id)
    await log_in(person, browser, str(server_id))
    token = await token_of(person)
    await renewals._renew(claimed)
    assert await token_of(person) == token


async def test_what_is_granted_no_more_is_wanted_again(
    person: User, authority: Authority, renewals: Renewals, sql: Sql, server_id: UUID
) -> None:
    authority.end_all()
    await renew(renewals, server_id)
    row = stored(sql, server_id)
    assert (row["oauth"], row["wants_authorization"], row["due_in"]) == (None, True, None)
    assert (await read(person, server_id))["authorization"] == "wanted"


async def test_a_token_without_another_to_renew_it_by_ends(
    person: User,
    browser: httpx2.AsyncClient,
    authority: Authority,
    renewals: Renewals,
    sql: Sql,
    server_id: UUID,
) -> None:
    authority.has_refresh = False
    await log_in(person, browser, str(server_id))
    assert stored(sql, server_id)["due_in"] > 3500
    await renew(renewals, server_id)
    assert authority.renewals == 0
    assert (await read(person, server_id))["authorization"] == "wanted"


async def test_tokens_that_are_refused_are_renewed_at_once(
    person: User,
    authority: Authority,
    database: Database,
    vault: Vault,
    sql: Sql,
    server_id: UUID,
) -> None:
    target = Target((await read(person, server_id))["server_url"], server_id)
    sql("UPDATE mcpservers SET oauth_claimed_at = now() WHERE id = %s", server_id)
    authority.end_access()
    failure = await MCP_SERVERS.look_up_again(database, vault, OUT, target)
    assert failure is not None
    assert "may be wrong or expired" in failure.sentence
    assert stored(sql, server_id)["due_in"] <= 0
    sql("UPDATE mcpservers SET oauth_claimed_at = NULL WHERE id = %s", server_id)
    await until_renewed(sql, server_id)
    assert await MCP_SERVERS.look_up_again(database, vault, OUT, target) is None
    assert (await read(person, server_id))["is_active"]


async def test_what_is_given_while_the_database_is_away_is_stored_afterwards(
    person: User,
    renewals: Renewals,
    sql: Sql,
    server_id: UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, tries = await token_of(person), 0
    update = queries.update_renewed

    async def fail_at_first(*given: Any) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise DatabaseAwayError("away")
        await update(*given)

    monkeypatch.setattr(queries, "update_renewed", fail_at_first)
    monkeypatch.setattr(renewing, "STORING_SECONDS", 0.0)
    await renew(renewals, server_id)
    assert tries == 2
    assert await token_of(person) != before


async def test_a_round_wants_what_is_due_and_nothing_else(
    renewals: Renewals, person: User, sql: Sql, server_id: UUID
) -> None:
    wanted: list[UUID] = []

    async def note(id_: UUID) -> None:
        wanted.append(id_)

    sql(
        "UPDATE mcpservers SET oauth_due_at = now(), oauth_claimed_at = now() WHERE id = %s",
        server_id,
    )
    async with asyncio.TaskGroup() as group:
        await renewals.begin_round(Shares(group, note))
    assert wanted.count(server_id) == 1
