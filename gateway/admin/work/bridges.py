"""Which bridges say that they take requests, and who is connected where."""

import asyncio
from datetime import datetime
from time import monotonic
from uuid import UUID

from attrs import frozen
from databases.core import Connection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.admin.work.listing import Listed, Part, select_listed
from shared.notifications.formats import bridges_channel, decode_heartbeat
from shared.postgres.pool import columns
from shared.redis.servers import Subscriber, create_redis
from shared.settings.common import CommonSettings

CONNECT_SECONDS = 3.0
LISTEN_SECONDS = 1.6  # each says so every second


@frozen(slots=False)
class Door:
    """A bridge's door for agents."""

    bridge_id: UUID
    is_open: bool
    alive_until: datetime
    agents: int
    has_master_agent: bool


@frozen(slots=False)
class Leader:
    """Who holds the session at the router, to which agents connect where doors are closed."""

    is_held: bool
    holder: UUID
    expires_at: datetime


async def hear_bridges(settings: CommonSettings) -> set[UUID] | None:
    """The bridges that say that they take requests; None: Redis can't be listened to."""
    try:
        async with (
            asyncio.timeout(CONNECT_SECONDS + LISTEN_SECONDS),
            create_redis(settings, retry=Retry(NoBackoff(), 0)) as redis,
            redis.subscriber() as subscriber,
        ):
            await subscriber.subscribe(bridges_channel(settings))
            return await _hear(subscriber)
    except (RedisError, OSError):  # a TimeoutError is an OSError
        return None


async def _hear(subscriber: Subscriber) -> set[UUID]:
    heard: set[UUID] = set()
    end = monotonic() + LISTEN_SECONDS
    while (left := end - monotonic()) > 0:
        message = await subscriber.get_message(timeout=left)
        if message is None or message["type"] != "message":
            continue
        if (heartbeat := decode_heartbeat(message["data"])) is None:
            continue
        if heartbeat.is_leaving:
            heard.discard(heartbeat.bridge_id)
        else:
            heard.add(heartbeat.bridge_id)
    return heard


async def select_doors(connection: Connection, part: Part) -> Listed[Door]:
    """The doors that there are; one that is not open was not renewed, and will be forgotten."""
    sql = """
        SELECT bridge_id, alive_until > now() AS is_open, alive_until,
               count(agent_id) AS agents,
               count(identity) > count(agent_id) AS has_master_agent
        FROM doors LEFT JOIN door_connections USING (bridge_id)
        GROUP BY bridge_id, alive_until ORDER BY bridge_id LIMIT :limit OFFSET :offset
    """
    return await select_listed(connection, Door, sql, {}, part)


async def select_leader(connection: Connection) -> Leader | None:
    """Who had the lease of the router session last; None: nobody, or it was given back."""
    sql = """
        SELECT expires_at > clock_timestamp()
                   AND (session IS NULL OR session IN (SELECT pid FROM pg_stat_activity))
                   AS is_held, holder, expires_at
        FROM leases WHERE name = 'router_session'
    """
    row = await connection.fetch_one(sql)
    return Leader(**columns(row)) if row else None
