"""A claim that was lost does nothing any more, also where the same bridge has won it again."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import asyncpg
import attrs
import pytest
from attrs import frozen
from databases.core import Connection

from agent_bridge.requests import claim_queries, queries
from agent_bridge.requests.asked_queries import mark_asked
from agent_bridge.requests.claim_queries import ClaimedRequest
from agent_bridge.requests.taking_queries import claim_requests
from gateway.streams.asking_queries import Bounds, NewRequest, insert_request
from gateway.streams.questions import Question
from shared.domain.endings import Ending, OpenRequest, Outcome, end_requests
from shared.domain.usage import Usage
from shared.notifications.bus import Notifications
from shared.postgres.pool import connect, create_database, transaction
from shared.redis.servers import create_redis
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.agent_bridge.stored import Row, execute, select_requests
from tests.system import System


@frozen
class Twice:
    """A request that one bridge has claimed, lost and claimed again."""

    connection: Connection
    system: System
    first: ClaimedRequest
    second: ClaimedRequest

    @property
    def row(self) -> Row:
        """The request as it is stored."""
        [row] = select_requests(self.system, str(self.first.session_id))
        return row


@pytest.fixture
async def twice(environment: dict[str, str]) -> AsyncIterator[Twice]:
    """Claimed, its lease over, given back by a sweep, and claimed again by the same bridge."""
    system = System(environment)
    settings = read_settings(environment, Settings)
    owner, provider, bridge = uuid4(), uuid4(), uuid4()
    execute(system, "INSERT INTO users (id, username, password) VALUES (%s, 'u', '-')", owner)
    execute(
        system,
        """
        INSERT INTO modelproviders (id, name, provider_metadata, creator_id)
        VALUES (%s, 'p', '{}', %s)
        """,
        provider,
        owner,
    )
    execute(
        system,
        """
        INSERT INTO modelconfigs (id, name, model, provider_id, system_prompt, max_last_messages,
                                  temperature, credentials, creator_id)
        VALUES (gen_random_uuid(), 'c', 'm', %s, '', 5, 0.7, '{}', %s)
        """,
        provider,
        owner,
    )
    async with create_database(settings) as database, connect(database) as connection:
        await insert_request(connection, _new_request(owner), Bounds())
        [first] = await claim_requests(connection, bridge, 5)
        await connection.execute("UPDATE requests SET lease_until = now() - interval '1 s'")
        [overdue] = await queries.select_overdue(connection)
        assert await claim_queries.release_request(connection, overdue.claim_id)
        [second] = await claim_requests(connection, bridge, 5)
        yield Twice(connection, system, first, second)


def _new_request(owner: UUID) -> NewRequest:
    with_a_file = Question(  # what has files is not marked as it is claimed
        user_id=owner, session_id=uuid4(), message="m", file_ids=[uuid4()]
    )
    return NewRequest(with_a_file, timedelta(minutes=10))


async def _end(twice: Twice, *claims: ClaimedRequest, usage: Sequence[Usage] = ()) -> list[bool]:
    endings = [
        Ending(
            OpenRequest(claim.id, "running", claim.claim_id),
            Outcome("answered", {"response": str(claim.id)}, 0.1, usage),
        )
        for claim in claims
    ]
    notifications = Notifications(create_redis(twice.system.settings))
    ended = await end_requests(twice.connection, notifications, endings)
    return [each is not None for each in ended]


async def _claim_another(twice: Twice) -> ClaimedRequest:
    """A request of another session."""
    new = _new_request(twice.first.creator_id)
    await insert_request(twice.connection, new, Bounds())
    [claimed] = await claim_requests(twice.connection, uuid4(), 1)
    return claimed


async def test_a_request_that_its_bridge_claims_again_has_another_claim(twice: Twice) -> None:
    assert twice.second.id == twice.first.id
    assert twice.second.claim_id != twice.first.claim_id


async def test_a_request_that_one_bridge_claimed_twice_is_sent_once(twice: Twice) -> None:
    claims = [twice.first, twice.second]
    marked = await queries.mark_sent(twice.connection, claims)
    assert [each and each.is_held for each in marked] == [False, True]


async def test_a_request_without_its_config_is_not_marked_beside_another_that_is(
    twice: Twice,
) -> None:
    other = attrs.evolve(await _claim_another(twice), config_name="unheard of")
    without, marked = await queries.mark_sent(twice.connection, [other, twice.second])
    assert without is None
    assert marked is not None
    assert (marked.is_held, marked.config.config_name) == (True, "c")
    [unmarked] = select_requests(twice.system, str(other.session_id))
    assert (unmarked["sent_at"], twice.row["sent_at"] is None) == (None, False)


async def test_a_lost_claim_ends_nothing(twice: Twice) -> None:
    before = twice.row
    assert await _end(twice, twice.first) == [False]
    assert twice.row == before
    assert await _end(twice, twice.second) == [True]


async def test_a_lost_claim_ends_nothing_beside_others_that_end(twice: Twice) -> None:
    before, other = twice.row, await _claim_another(twice)
    assert await _end(twice, twice.first, other) == [False, True]
    assert twice.row == before
    [ended] = select_requests(twice.system, str(other.session_id))
    assert (ended["status"], ended["seq"]) == ("answered", 1)


async def test_a_request_ends_by_the_claim_that_holds_beside_one_that_was_lost(
    twice: Twice,
) -> None:
    assert await _end(twice, twice.first, twice.second, twice.first) == [False, True, False]


async def test_requests_end_together_each_with_its_own_answer(twice: Twice) -> None:
    other = await _claim_another(twice)
    assert await _end(twice, other, twice.second) == [True, True]
    stored = await twice.connection.fetch_all(
        "SELECT request_id, content FROM chatmessages WHERE sender_type = 'master_agent'"
    )
    assert {row["request_id"]: json.loads(row["content"]) for row in stored} == {
        claim.id: {"response": str(claim.id)} for claim in (other, twice.second)
    }


async def test_what_was_used_counts_once_by_the_claim_that_holds(twice: Twice) -> None:
    used = [Usage(5, 2, 1, model="m", price=Decimal("0.5")), Usage(1, 0, model="n")]
    other = await _claim_another(twice)
    claims = [twice.first, other, twice.second, twice.first]
    assert await _end(twice, *claims, usage=used) == [False, True, True, False]
    assert await _end(twice, *claims, usage=used) == [False] * 4
    sums = await twice.connection.fetch_all("SELECT * FROM usage_days ORDER BY model")
    assert [tuple(row)[2:] for row in sums] == [
        ("m", 2, 10, 2, 4, Decimal("1.0"), 0),
        ("n", 2, 2, 0, 0, None, 2),
    ]
    assert [entry["model"] for entry in twice.row["usage"]] == ["m", "n"]


async def test_a_request_whose_usage_can_not_be_stored_has_not_ended(twice: Twice) -> None:
    before = twice.row
    with pytest.raises(asyncpg.DataError):
        await _end(twice, twice.second, usage=[Usage(2**70, 0)])
    assert twice.row == before
    assert await _end(twice, twice.second) == [True]


async def test_a_lost_claim_gives_nothing_back(twice: Twice) -> None:
    before = twice.row
    assert await claim_queries.release_request(twice.connection, twice.first.claim_id) is False
    assert twice.row == before


async def test_a_lost_claim_renews_no_lease(twice: Twice) -> None:
    before = twice.row
    await claim_queries.renew_leases(twice.connection, [twice.first.claim_id])
    assert twice.row == before
    await claim_queries.renew_leases(twice.connection, [twice.second.claim_id])
    assert twice.row["lease_until"] > before["lease_until"]


async def test_a_claim_whose_lease_is_over_is_not_sent(twice: Twice) -> None:
    await twice.connection.execute("UPDATE requests SET lease_until = now() - interval '1 s'")
    [marked] = await queries.mark_sent(twice.connection, [twice.second])
    assert marked is not None
    assert not marked.is_held
    assert twice.row["sent_at"] is None


async def test_agents_are_asked_for_the_claim_that_holds_only(twice: Twice) -> None:
    agent_id = uuid4()
    execute(
        twice.system,
        """
        INSERT INTO agents (id, alias, name, description, jwt, creator_id, input_parameters,
                            is_active)
        VALUES (%s, 'a', 'a', '', '', %s, '{}', true)
        """,
        agent_id,
        twice.first.creator_id,
    )
    claims = [attrs.evolve(each, asked_id=agent_id) for each in (twice.first, twice.second)]
    asked = await mark_asked(twice.connection, claims)
    assert [each.is_held for each in asked] == [False, True]
    assert [[member.id for member in each.members] for each in asked] == [[agent_id]] * 2
    await twice.connection.execute("UPDATE requests SET lease_until = now() - interval '1 s'")
    [late] = await mark_asked(twice.connection, claims[1:])
    assert not late.is_held


async def test_a_claim_that_waited_for_a_lock_has_its_whole_lease(twice: Twice) -> None:
    claim_id = twice.second.claim_id
    async with transaction(twice.connection):  # now() stands still in here
        await twice.connection.execute("SELECT pg_sleep(0.2)")
        await claim_queries.renew_leases(twice.connection, [claim_id])
        left = await twice.connection.fetch_val("SELECT lease_until - now() FROM requests")
    assert left >= claim_queries.LEASE + timedelta(seconds=0.2)
