"""Finding the master anew for each connection: among Sentinels, or the nodes of a Cluster.

In a Cluster all that is ours shares a slot, so that one node is the master of it, as elsewhere.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    AuthenticationError,
    AuthorizationError,
    ClusterDownError,
    ReadOnlyError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.maint_notifications import MaintNotificationsConfig

from shared.settings.addresses import in_url
from shared.settings.redis_address import Place

NAME = "genai"  # what all our names begin with; in braces it decides the slot
SLOT = key_slot(NAME.encode())
ASK_SECONDS = 0.4  # in which a Sentinel or a node answers, or the next one is asked; two fit into
# the second that somebody who logs in waits
NO_LOGIN = (AuthenticationError, AuthorizationError)  # no waiting helps, though both are of the
# kind of errors that a connection has
# No server is told which library this is, nor asked to announce its maintenance, which is for
# another product: it would take a right more.
PLAIN: dict[str, Any] = {
    "driver_info": None,
    "maint_notifications_config": MaintNotificationsConfig(enabled=False),
}
ASKING: dict[str, Any] = {
    **PLAIN,
    "socket_connect_timeout": ASK_SECONDS,
    "socket_timeout": ASK_SECONDS,
    "retry": Retry(NoBackoff(), 0),
}


type Find = Callable[[], Awaitable[Place]]


class MovedAwayError(RedisConnectionError):
    """The server that answered is no longer, or not yet, the master of what is ours."""


class FoundConnection(Connection):
    """A connection to whoever `find` says is the master, asked each time that it connects.

    redis-py's own for Sentinels does not ask where a command finds it disconnected: it goes back
    to the master of before.
    """

    def __init__(self, *, find: Find, **options: Any) -> None:
        self._find = find
        super().__init__(**options)

    async def connect_check_health(
        self, check_health: bool = True, retry_socket_connect: bool = True
    ) -> None:
        """Raises MasterNotFoundError where nobody is the master."""
        if self.is_connected:
            return
        self.host, self.port = await self._find()
        await super().connect_check_health(check_health, retry_socket_connect=False)

    async def read_response(self, *args: Any, **options: Any) -> Any:
        """Raises MovedAwayError, disconnected, where another one is to be asked."""
        try:
            return await super().read_response(*args, **options)
        except (AskError, ClusterDownError, ReadOnlyError) as error:  # a MovedError is an AskError
            await self.disconnect()
            raise MovedAwayError(f"{type(error).__name__}: {error}") from error


class FoundSSLConnection(FoundConnection, SSLConnection):
    """The same with TLS."""


class Sentinels:
    """Say who is the master of a name."""

    def __init__(self, places: Sequence[Place], master: str, options: dict[str, Any]) -> None:
        self._sentinel = Sentinel(places, sentinel_kwargs=options)  # type: ignore[no-untyped-call]
        self._master = master

    async def find(self) -> Place:
        """Host and port. Raises MasterNotFoundError, while they choose one too."""
        host, port = await self._sentinel.discover_master(self._master)
        return host, port

    async def list_names(self) -> list[str]:
        """Of all masters that the first knows who answers."""
        for number, sentinel in enumerate(self._sentinel.sentinels, 1):
            try:
                masters: Any = await sentinel.sentinel_masters()
                return list(masters)
            except NO_LOGIN:
                raise
            except (RedisConnectionError, RedisTimeoutError):
                if number == len(self._sentinel.sentinels):
                    raise
        return []

    async def aclose(self) -> None:
        """Close the connections to them."""
        await self._sentinel.aclose()


class SlotOwner:
    """Asks the nodes of a Cluster which of them has our slot."""

    def __init__(self, places: Sequence[Place], options: dict[str, Any]) -> None:
        self._seeds = list(places)
        self._places = list(places)  # the one that answered last is the first
        self._options = options

    async def find(self) -> Place:
        """Host and port. Raises MasterNotFoundError where no node tells, or what refuses us."""
        faults: list[Exception] = []
        for place in self._places:
            # It is the last until it answers: whoever waits may give up before it does.
            self._places = [*(each for each in self._places if each != place), place]
            try:
                nodes = await self._ask(place)
            except NO_LOGIN:
                raise
            except (RedisConnectionError, RedisTimeoutError) as error:
                faults.append(error)
                continue
            self._places = list(dict.fromkeys([place, *self._seeds, *nodes]))
            if nodes:
                return nodes[0]
            where = f"{in_url(place[0])}:{place[1]}"
            faults.append(MasterNotFoundError(f"{where} knows nobody who has slot {SLOT}"))
        raise MasterNotFoundError("; ".join(map(str, faults))) from faults[-1]

    async def aclose(self) -> None:
        """Nothing stays open."""

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
