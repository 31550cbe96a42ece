"""What authorization servers answer to who renews tokens, odd or not, and when the process ends."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from starlette.types import Receive, Scope, Send

from gateway.grants import queries, renewing, tokens
from gateway.grants.queries import ClaimedGrant
from gateway.grants.renewing import Renewals
from tests.gateway.grants.authority import Authority
from tests.gateway.grants.renewals import claim, read, renew, stored, token_of
from tests.gateway.outsiders import Outsider, answering
from tests.sql import Sql
from tests.users import User


async def test_an_authorization_server_that_is_away_is_asked_later(
    person: User, outsider: Outsider, renewals: Renewals, sql: Sql, server_id: UUID
) -> None:
    before = await token_of(person)
    outsider.app = answering({"error": "temporarily_unavailable"}, 503)
    await renew(renewals, server_id)
    row = stored(sql, server_id)
    assert (row["oauth_claimed_at"], row["wants_authorization"]) == (None, False)
    assert 50 < row["due_in"] <= renewing.RETRY_SECONDS
    assert await token_of(person) == before


@pytest.mark.parametrize("content", [b"<html>", [1], {}, {"access_token": "a\r\nb: c"}])
async def test_nonsense_in_place_of_a_token_changes_nothing(
    person: User,
    outsider: Outsider,
    renewals: Renewals,
    sql: Sql,
    server_id: UUID,
    content: object,
) -> None:
    before = await token_of(person)
    outsider.app = answering(content, 200)
    await renew(renewals, server_id)
    assert await token_of(person) == before


@pytest.mark.parametrize(
    ("beside", "due_in"),
    [
        ({"expires_in": 3599.5, "scope": ["a"]}, 3299),
        ({"expires_in": "soon", "scope": 5}, None),
        ({"expires_in": 1e300, "token_type": "bearer"}, tokens.LONGEST_LIFE - 300),
        ({"expires_in": -5, "refresh_token": ["r"]}, tokens.SHORTEST_SECONDS),
    ],
)
async def test_what_is_said_beside_a_token_does_not_cost_it(
    person: User,
    outsider: Outsider,
    renewals: Renewals,
    sql: Sql,
    server_id: UUID,
    beside: dict[str, Any],
    due_in: float | None,
) -> None:
    outsider.app = answering({"access_token": "n3w", **beside}, 200)
    await renew(renewals, server_id)
    assert await token_of(person) == "n3w"
    assert stored(sql, server_id)["due_in"] == (due_in and pytest.approx(due_in, abs=30))


async def test_a_refusal_that_is_no_failure_of_http_ends_what_was_granted(
    person: User, outsider: Outsider, renewals: Renewals, server_id: UUID
) -> None:
    outsider.app = answering({"error": "invalid_grant"}, 200)
    await renew(renewals, server_id)
    assert (await read(person, server_id))["authorization"] == "wanted"


async def test_a_renewal_that_has_begun_is_finished_when_the_process_ends(
    person: User,
    authority: Authority,
    outsider: Outsider,
    renewals: Renewals,
    sql: Sql,
    server_id: UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inner, asked, may_answer = outsider.app, asyncio.Event(), asyncio.Event()

    async def answer_late(scope: Scope, receive: Receive, send: Send) -> None:
        asked.set()
        await may_answer.wait()
        await inner(scope, receive, send)

    claimed = await claim(renewals, server_id)

    async def claim_it(*_: Any) -> ClaimedGrant:
        return claimed

    monkeypatch.setattr(queries, "claim_grant", claim_it)
    outsider.app = answer_late
    renewal = asyncio.create_task(renewals.renew(server_id))
    await asked.wait()
    renewal.cancel()
    await asyncio.sleep(0)
    may_answer.set()
    with pytest.raises(asyncio.CancelledError):
        await renewal
    assert await token_of(person) == [*authority.access][-1]
    assert authority.renewals == 1
    assert stored(sql, server_id)["oauth_claimed_at"] is None
