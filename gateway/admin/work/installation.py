"""What the commands work on: the database of the services, and Redis to tell them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
from attrs import evolve, frozen
from databases import Database
from databases.core import Connection

from gateway.admin.faults import AwayError
from gateway.audit.acting import acting_as
from gateway.audit.noting import COMMAND
from shared.notifications.bus import Notifications
from shared.postgres.apart import APART_ERRORS, connect_apart
from shared.postgres.pool import DatabaseAwayError, connect, create_database
from shared.process.background import background
from shared.redis.servers import create_redis
from shared.settings.gateway import GatewaySettings

POOL_SIZE = 2
NOT_MIGRATED = "The database is not that of this version, the migrations are not applied: {}"

_SHAPES = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
)


@frozen
class Installation:
    """Whatever a command needs of it."""

    settings: GatewaySettings
    database: Database

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection to PostgreSQL; outside of it none is held."""
        async with connect(self.database) as connection:
            yield connection

    @asynccontextmanager
    async def acting(self) -> AsyncIterator[Connection]:
        """The same in a transaction, in which the audit log notes changes as the command's."""
        async with acting_as(self.database, COMMAND) as connection:
            yield connection

    @asynccontextmanager
    async def notifications(self) -> AsyncIterator[Notifications]:
        """What tells the services; in the end what was said is published, if Redis is there."""
        async with create_redis(self.settings) as redis:
            notifications = Notifications(redis)
            async with background(notifications_writer=notifications.outbox.write()):
                yield notifications
                await notifications.outbox.flush()


@asynccontextmanager
async def open_installation(settings: GatewaySettings) -> AsyncIterator[Installation]:
    """Raises AwayError where PostgreSQL can't be had, then and later."""
    away = partial(_away, settings)
    try:
        (await connect_apart(settings, "admin")).terminate()
    except APART_ERRORS as error:
        raise away(error) from error
    try:
        async with create_database(evolve(settings, database_pool_size=POOL_SIZE)) as database:
            yield Installation(settings, database)
    except DatabaseAwayError as error:
        raise AwayError(str(error)) from error
    except _SHAPES as error:
        raise AwayError(NOT_MIGRATED.format(error)) from error


def _away(settings: GatewaySettings, error: Exception) -> AwayError:
    reason = str(error) or type(error).__name__
    return AwayError(f"PostgreSQL at {settings.postgres.place} can't be used: {reason}")
