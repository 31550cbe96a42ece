"""Agents whose token has ended: told through the router, and unknown by it from then on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
import redis.asyncio
from databases import Database
from databases.core import Connection

from agent_bridge.agents import queries
from agent_bridge.agents.registry import NOT_REGISTERED, Registration, Registry
from agent_bridge.agents.revocations import DELETED, LOCKED, RENEWED, refuse_revoked_agents
from agent_bridge.router.frames import AgentRegistered
from shared.notifications.channels import REVOKED_TOKENS
from shared.notifications.formats import encode_revoked
from shared.postgres.pool import DatabaseAwayError, create_database
from shared.process.background import background
from shared.tokens import issue_agent_token
from tests.agent_bridge.actors import (
    ANSWER_SECONDS,
    SCHEMA,
    connected_agent,
    is_active,
    until_active,
    until_inbox_is_empty,
)
from tests.agent_bridge.stored import execute, lock_user, select
from tests.agents.running import Generation, run_agent
from tests.estates.listening import run_notifications
from tests.system import System
from tests.users import Json, User, eventually, register_user


@pytest.fixture(autouse=True)
async def _heard(system: System) -> None:
    """Revocations have a listener: a bridge that has just started may miss some."""
    await _until_heard(system, 1)


async def _until_heard(system: System, count: int) -> None:
    async with redis.asyncio.from_url(system.settings.redis_url) as client:

        async def is_heard() -> bool:
            [(_, listeners)] = await client.pubsub_numsub(REVOKED_TOKENS)
            return int(listeners) >= count

        await eventually(is_heard, f"{count} bridges listen for revocations")


async def _delete(user: User, agent_id: str) -> None:
    answer = await user.http.delete(f"/api/agents/{agent_id}")
    assert (answer.status_code, answer.content) == (204, b"")


async def _renew(user: User, agent_id: str) -> str:
    answer = await user.http.post(f"/api/agents/{agent_id}/token")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["jwt"])


END = {DELETED: _delete, RENEWED: _renew}


@pytest.mark.parametrize("reason", END)
async def test_a_connected_agent_whose_token_ends_is_told_why(
    reason: str, system: System, user: User
) -> None:
    agent = await user.register_agent("doomed", "loses its token")
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("doomed", "loses its token")
        await until_active(user, agent["id"])
        await END[reason](user, agent["id"])
        told = (await connection.receive())["error"]
    assert (told["error_message"], told["error_type"]) == (reason, "AgentGeneralError")


@pytest.mark.parametrize("reason", END)
@pytest.mark.parametrize("generation", ["1.0", "2.0"])
async def test_an_agent_of_either_generation_whose_token_ends_stops(
    generation: Generation, reason: str, system: System, user: User
) -> None:
    agent = await user.register_agent()
    with run_agent(system, generation, agent["jwt"], "seal") as process:
        await until_active(user, agent["id"], 20)
        await END[reason](user, agent["id"])

        async def has_stopped() -> bool:
            return process.has_ended

        await eventually(has_stopped, "the agent's process has ended")
        assert reason in process.last_lines()


@pytest.mark.parametrize("reason", END)
async def test_an_agent_that_registers_with_a_token_that_has_ended_is_refused(
    reason: str, system: System, user: User
) -> None:
    agent = await user.register_agent("doomed", "loses its token")
    await END[reason](user, agent["id"])
    await _assert_refused(system, agent["jwt"])


async def _assert_refused(system: System, token: str) -> None:
    async with connected_agent(system, token) as connection:
        await connection.register("doomed", "loses its token")
        # That its token has ended may be told first: it has come before that was.
        while (error := (await connection.receive())["error"])["error_message"] in END:
            pass
    told = error["error_message"], error["error_type"]
    assert told == (NOT_REGISTERED, "AgentGeneralError")


async def test_an_agent_that_registers_with_an_expired_token_is_refused(
    system: System, user: User
) -> None:
    agent = await user.register_agent("late", "late")
    ids = UUID(agent["id"]), UUID(user.id)
    expired = issue_agent_token(system.settings.secret_key, *ids, expires_in=-1)
    execute(system, "UPDATE agents SET jwt = %s WHERE id = %s", expired, agent["id"])
    await _assert_refused(system, expired)
    assert not await is_active(user, agent["id"])


async def test_a_token_that_was_never_its_agent_s_is_refused(system: System, user: User) -> None:
    agent = await user.register_agent("mine", "mine")
    ids = UUID(agent["id"]), UUID(user.id)
    await _assert_refused(system, issue_agent_token(system.settings.secret_key, *ids))
    assert not await is_active(user, agent["id"])


async def test_an_agent_with_a_new_token_comes_back(system: System, user: User) -> None:
    agent = await user.register_agent("phoenix", "comes back")
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("phoenix", "comes back")
        await until_active(user, agent["id"])
        token = await _renew(user, agent["id"])
        assert not await is_active(user, agent["id"])
        await connection.receive()
    async with connected_agent(system, token) as connection:
        await connection.register("phoenix", "comes back")
        await until_active(user, agent["id"])


async def test_only_the_agent_whose_token_ended_is_told(system: System, user: User) -> None:
    doomed = await user.register_agent("doomed", "is deleted")
    spared = await user.register_agent("spared", "stays")
    async with (
        connected_agent(system, doomed["jwt"]) as first,
        connected_agent(system, spared["jwt"]) as second,
    ):
        await first.register("doomed", "is deleted")
        await second.register("spared", "stays")
        await until_active(user, doomed["id"])
        await until_active(user, spared["id"])
        await _delete(user, doomed["id"])
        await first.receive()
        await until_inbox_is_empty(system, user)
        assert (await user.read_agent(spared["id"]))["is_active"]


async def test_an_agent_whose_user_is_locked_is_told_and_inactive_until_it_registers_again(
    system: System, user: User
) -> None:
    """Nobody tells the bridge: it finds that out itself."""
    async with register_user(system.gateway) as own:
        agent = await own.register_agent("shut", "is locked out")
        spared = await user.register_agent("spared", "stays")
        async with (
            connected_agent(system, agent["jwt"]) as connection,
            connected_agent(system, spared["jwt"]) as neighbour,
        ):
            await connection.register("shut", "is locked out")
            await neighbour.register("spared", "stays")
            await until_active(own, agent["id"])
            await until_active(user, spared["id"])
            lock_user(system, own.id)
            told = (await connection.receive())["error"]
            assert (told["error_message"], told["error_type"]) == (LOCKED, "AgentGeneralError")
            sql = "SELECT is_active, is_verified FROM agents WHERE id = %s"
            assert select(system, sql, agent["id"]) == [{"is_active": False, "is_verified": False}]
            lock_user(system, own.id, is_locked=False)
            await own.sign_in_again()
            await until_inbox_is_empty(system, user)
            assert await is_active(user, spared["id"])
            assert not await is_active(own, agent["id"])
            await connection.register("shut", "is locked out")
            await until_active(own, agent["id"])


@pytest.mark.parametrize("message", [b"", b"\xff", b"not an id", b"revoked/1 \xff", b"revoked/2 x"])
async def test_notifications_that_name_no_agent_end_nothing(
    message: bytes, system: System, user: User
) -> None:
    async with redis.asyncio.from_url(system.settings.redis_url) as client:
        await client.publish(REVOKED_TOKENS, message)
    await test_a_connected_agent_whose_token_ends_is_told_why(RENEWED, system, user)


class NotingRegistry(Registry):
    """Notes whom it would tell what."""

    def __init__(self, system: System, database: Database) -> None:
        super().__init__(system.settings, database)
        self.told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    def refuse(self, agent_uuid: str, message: str) -> None:
        self.told.put_nowait((agent_uuid, message))

    async def next_told(self) -> tuple[str, str]:
        """The next of them."""
        async with asyncio.timeout(ANSWER_SECONDS):
            return await self.told.get()


@asynccontextmanager
async def _listening(system: System, database: Database) -> AsyncIterator[NotingRegistry]:
    """One more bridge that hears of revocations, and only notes whom it would tell."""
    registry = NotingRegistry(system, database)
    async with (
        run_notifications(system.settings) as notifications,
        background(refuse=refuse_revoked_agents(notifications, database, registry)),
    ):
        await _until_heard(system, 2)
        yield registry


async def _publish(system: System, agent: Json) -> None:
    async with redis.asyncio.from_url(system.settings.redis_url) as client:
        await client.publish(REVOKED_TOKENS, encode_revoked(UUID(agent["id"])))


async def test_an_agent_that_is_there_with_its_new_token_is_left_alone_by_a_late_notification(
    system: System, user: User
) -> None:
    agent, gone = await user.register_agent("quick", "quick"), await user.register_agent()
    token = await _renew(user, agent["id"])
    await _delete(user, gone["id"])
    async with create_database(system.settings) as database, _listening(system, database) as bridge:
        await _publish(system, agent)
        async with connected_agent(system, token) as connection:
            await connection.register("quick", "quick")
            await until_active(user, agent["id"])
            await _publish(system, agent)
            await _publish(system, gone)
            told = [await bridge.next_told(), await bridge.next_told()]
            assert told == [(agent["id"], RENEWED), (gone["id"], DELETED)]


async def test_an_agent_is_not_told_while_postgresql_is_away_and_the_next_is(
    system: System, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await user.register_agent(), await user.register_agent()
    await _delete(user, first["id"])
    await _delete(user, second["id"])
    select_is_active = queries.select_is_active

    async def fail_first(connection: Connection, agent_id: UUID) -> bool | None:
        if str(agent_id) == first["id"]:
            raise DatabaseAwayError("away")
        return await select_is_active(connection, agent_id)

    monkeypatch.setattr(queries, "select_is_active", fail_first)
    async with create_database(system.settings) as database, _listening(system, database) as bridge:
        await _publish(system, first)
        await _publish(system, second)
        assert await bridge.next_told() == (second["id"], DELETED)


async def test_a_token_that_ends_before_its_registration_is_stored_activates_nobody(
    system: System, user: User
) -> None:
    agent = await user.register_agent("mine", "mine")
    claim = AgentRegistered(agent["id"], agent["jwt"], "other", "other", SCHEMA)
    async with create_database(system.settings) as database:
        registry = NotingRegistry(system, database)
        said = registry.verify(claim)
        assert isinstance(said, Registration)
        assert agent["jwt"] not in repr(said)
        await _renew(user, agent["id"])
        [leader] = select(system, "SELECT term FROM router_session")
        await registry.register(leader["term"], said)
        assert registry.told.get_nowait() == (agent["id"], NOT_REGISTERED)
    stored = await user.read_agent(agent["id"])
    assert (stored["agent_name"], stored["is_active"]) == ("mine", False)
