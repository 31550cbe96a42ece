"""Says who acts: whatever changes in a transaction that knows it is noted with it, by triggers."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from databases import Database
from databases.core import Connection

from gateway.audit.actions import Action
from gateway.audit.noting import AS_IT_IS, Actor
from gateway.audit.queries import set_actor
from gateway.web.addresses import host_of
from gateway.web.call import Call
from shared.postgres.pool import connect, transaction


def actor_of(call: Call[Any, Any], user_id: UUID | None = None) -> Actor:
    """Who calls; where anyone may, the user whom the call has shown to be the one who does."""
    caller, address = call.caller, host_of(call.request)
    if caller is None:
        return Actor("api", user_id, None, address)
    via = "service" if caller.is_service else "api"
    return Actor(via, caller.user_id, caller.credential.id, address)


@asynccontextmanager
async def acting(
    call: Call[Any, Any], user_id: UUID | None = None, instead: Mapping[Action, Action] = AS_IT_IS
) -> AsyncIterator[Connection]:
    """A connection in a transaction, in which what is changed is noted as done by who calls.

    In place of `connect`, by what seldom happens: it takes three round trips. A statement that is
    frequent says it itself, as `update_password` does. Raises DatabaseAwayError.
    """
    async with acting_as(call.database, actor_of(call, user_id), instead) as connection:
        yield connection


@asynccontextmanager
async def acting_as(
    database: Database, actor: Actor, instead: Mapping[Action, Action] = AS_IT_IS
) -> AsyncIterator[Connection]:
    """The same for what is no call. Raises DatabaseAwayError."""
    async with connect(database) as connection, transaction(connection):
        await set_actor(connection, actor.said(instead))
        yield connection
