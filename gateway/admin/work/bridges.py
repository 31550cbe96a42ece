"""Which bridges say that they take requests, and who is connected where."""

import asyncio
from time import monotonic
from uuid import UUID

from databases.core import Connection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.admin.work.listing import Listed, Part, listed
from gateway.parts import queries
from gateway.parts.schemas import Door
from shared.notifications.channels import bridges_channel
from shared.notifications.formats import decode_heartbeat
from shared.redis.servers import Subscriber, create_redis
from shared.settings.common import CommonSettings

CONNECT_SECONDS = 3.0
LISTEN_SECONDS = 1.6  # each says so every second


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
    """The doors that there are."""
    return listed(await queries.select_doors(connection, part.slice), part)
