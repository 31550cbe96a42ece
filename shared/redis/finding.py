"""Finding the master anew for each connection: among Sentinels, or the nodes of a Cluster.

In a Cluster all that is ours shares a slot, so that one node is the master of it, as elsewhere.
"""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import (
    MasterNotFoundError,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import AskError, AuthenticationError, AuthorizationError, ClusterDownError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.settings.redis_address import Place

TAG = "{genai}:"  # what all names begin with in a Cluster: the slot is that of `genai`
SLOT = key_slot(TAG.encode())
ASK_SECONDS = 1.0  # in which a Sentinel or a node answers, or the next one is asked
NO_LOGIN = (AuthenticationError, AuthorizationError)  # no waiting helps, though both are of the
# kind of errors that a connection has
ASKING = {
    "socket_connect_timeout": ASK_SECONDS,
    "socket_timeout": ASK_SECONDS,
    "retry": Retry(NoBackoff(), 0),
}


class MovedAwayError(RedisConnectionError):
    """Another node has our slot now, or none has at the moment."""


class NodeConnection(SentinelManagedConnection):
    """A connection to the node that has our slot; it ends where another one has it."""

    async def read_response(self, *args: Any, **options: Any) -> Any:
        """Raises MovedAwayError for a redirection: the next attempt looks for the node again."""
        try:
            return await super().read_response(*args, **options)
        except (AskError, ClusterDownError) as error:  # a MovedError is an AskError
            await self.disconnect()
            raise MovedAwayError(f"its answer was {type(error).__name__}: {error}") from error


class NodeSSLConnection(NodeConnection, SentinelManagedSSLConnection):
    """The same with TLS."""


class SlotOwner:
    """Asks the nodes of a Cluster who has our slot, as redis-py's `Sentinel` asks for a master."""

    def __init__(self, places: Sequence[Place], options: dict[str, Any]) -> None:
        self._seeds = list(places)
        self._places = list(places)  # the one that answered last is the first
        self._options = options

    async def discover_master(self, _name: str = "") -> Place:
        """Host and port. Raises MasterNotFoundError where no node tells, or what refuses us."""
        faults = []
        for place in list(self._places):
            try:
                nodes = await self._ask(place)
            except NO_LOGIN:
                raise
            except (RedisConnectionError, RedisTimeoutError) as error:
                faults.append(f"{place[0]}:{place[1]}: {error}")
                continue
            self._places = list(dict.fromkeys([place, *self._seeds, *nodes]))
            if nodes:
                return nodes[0]
            faults.append(f"{place[0]}:{place[1]}: no node has slot {SLOT}")
        raise MasterNotFoundError("; ".join(faults))

    async def _ask(self, place: Place) -> list[Place]:
        """The node that has the slot, then its replicas and all others; none where none has it."""
        host, port = place
        async with Redis(host=host, port=port, **self._options) as node:
            slots = await node.execute_command("CLUSTER SLOTS")  # type: ignore[no-untyped-call]
        shards = [
            (first <= SLOT <= last, [_place(node, host) for node in nodes])
            for first, last, *nodes in slots
        ]
        if not any(is_ours for is_ours, _ in shards):
            return []
        shards.sort(key=lambda shard: not shard[0])
        return [node for _, nodes in shards for node in nodes]


def _place(node: list[Any], asked: str) -> Place:
    """A node as it is told; one that does not know its own host is the one that was asked."""
    host = (node[0] or b"").decode()
    return (asked if host in {"", "?"} else host), int(node[1])
