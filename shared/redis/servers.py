"""What the services do with Redis, for each kind: publish, subscribe, run a script."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, Self

from attrs import evolve
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.connection import Connection, ConnectionPool, SSLConnection
from redis.asyncio.connection import UnixDomainSocketConnection as SocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError

from shared.redis.finding import (
    ASKING,
    NAME,
    PLAIN,
    FoundConnection,
    FoundSSLConnection,
    MovedAwayError,
    Sentinels,
    SlotOwner,
)
from shared.settings.common import CommonSettings
from shared.settings.redis_address import Place, RedisAddress, read_redis_address

OPTIONS: dict[str, Any] = {
    **PLAIN,
    "retry": Retry(ExponentialWithJitterBackoff(cap=1, base=0.05), retries=3),
    "health_check_interval": 15,
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
}
FOUND_SECONDS = 2  # in which a master answers that may have a successor by then

type ScriptCall = tuple[Sequence[str], Sequence[str | int]]
"""The names of keys, and arguments."""


class Subscriber(Protocol):
    """What is used of redis-py's `PubSub`; a channel that is subscribed anew is confirmed anew."""

    async def subscribe(self, *channels: str) -> None: ...
    async def unsubscribe(self, *channels: str) -> None: ...
    async def get_message(self, *, timeout: float) -> dict[str, Any] | None: ...  # noqa: ASYNC109


class RedisServer:
    """One server. It is connected to when that is needed first, and again after a failure."""

    kind = "a server"

    def __init__(self, address: RedisAddress, **options: Any) -> None:
        """Options are those of redis-py's connections."""
        self.address = address
        pool = self._create_pool(
            {**OPTIONS, **options, **address.login, **(address.tls or {}), "db": address.db}
        )
        self.client: Redis = Redis(connection_pool=pool)

    def _create_pool(self, options: dict[str, Any]) -> ConnectionPool:
        if self.address.socket:
            return ConnectionPool(SocketConnection, path=self.address.socket, **options)
        [(host, port)] = self.address.places
        connection = Connection if self.address.tls is None else SSLConnection
        return ConnectionPool(connection, host=host, port=port, **options)

    @property
    def place(self) -> str:
        """Where it is."""
        return str(self.address)

    def name(self, name: str) -> str:
        """What a key is called there."""
        return name

    def script(self, text: str) -> AsyncScript:
        """A script, to be called with the names of keys and with arguments."""
        return self.client.register_script(text)

    async def run(self, script: AsyncScript, calls: Iterable[ScriptCall]) -> list[Any]:
        """Run a script several times, in their order and in one trip; what each returns."""
        try:
            return await self._run(script, calls)
        except NoScriptError:
            await self.client.script_load(script.script)
            return await self._run(script, calls)

    async def _run(self, script: AsyncScript, calls: Iterable[ScriptCall]) -> list[Any]:
        async with self.client.pipeline(transaction=False) as pipeline:
            for keys, arguments in calls:
                pipeline.evalsha(script.sha, len(keys), *keys, *arguments)
            return await pipeline.execute()

    async def publish(self, batch: Iterable[tuple[str, bytes]]) -> None:
        """Publish messages in their order, in one trip."""
        async with self.client.pipeline(transaction=False) as pipeline:
            for channel, message in batch:
                pipeline.publish(channel, message)
            await pipeline.execute()

    def subscriber(self) -> AbstractAsyncContextManager[Subscriber]:
        """A connection of its own."""
        return self.client.pubsub()

    async def aclose(self) -> None:
        """Close all connections."""
        await self.client.aclose(close_connection_pool=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class FoundServer(RedisServer):
    """A master that others name, asked for each connection."""

    def __init__(
        self, address: RedisAddress, finder: Sentinels | SlotOwner, **options: Any
    ) -> None:
        """The finder is closed with it."""
        self._finder = finder
        self._last: Place | None = None
        super().__init__(address, **options)

    def _create_pool(self, options: dict[str, Any]) -> ConnectionPool:
        connection = FoundConnection if self.address.tls is None else FoundSSLConnection
        quick = {"socket_timeout": options["socket_timeout"] and FOUND_SECONDS}
        return ConnectionPool(connection, find=self._find, **{**options, **quick})

    async def _find(self) -> Place:
        """Where the master is; connections that lie idle to another one end."""
        place = await self._finder.find()
        if place != self._last:
            self._last = place
            await self.client.connection_pool.disconnect(inuse_connections=False)
        return place

    @property
    def place(self) -> str:
        """Where the master was last."""
        return str(evolve(self.address, places=(self._last,))) if self._last else "nowhere"

    async def aclose(self) -> None:
        """Close all connections."""
        await super().aclose()
        await self._finder.aclose()


class SentinelServer(FoundServer):
    """The master that Sentinels name."""

    kind = "a master that Sentinels name"

    def __init__(self, address: RedisAddress, **options: Any) -> None:
        asking = _asking(address, address.sentinel_login)
        self.sentinels = Sentinels(address.places, address.master, asking)
        super().__init__(address, self.sentinels, **options)


class ClusterServer(FoundServer):
    """The node of a Cluster that has our slot."""

    kind = "a Cluster"

    def __init__(self, address: RedisAddress, **options: Any) -> None:
        owner = SlotOwner(address.places, _asking(address, address.login))
        super().__init__(address, owner, **options)

    def name(self, name: str) -> str:
        """In our slot."""
        return _tagged(name)

    async def publish(self, batch: Iterable[tuple[str, bytes]]) -> None:
        """Publish to this node and its replicas: `PUBLISH` would go to all nodes."""
        async with self.client.pipeline(transaction=False) as pipeline:
            for channel, message in batch:
                pipeline.spublish(_tagged(channel), message)
            await pipeline.execute()

    def subscriber(self) -> AbstractAsyncContextManager[Subscriber]:
        """A connection of its own."""
        return SlotSubscriber(self.client.pubsub())


class SlotSubscriber:
    """Subscribes to channels of our slot; ends where another node gets it."""

    def __init__(self, pubsub: PubSub) -> None:
        self._pubsub = pubsub
        self._leaving: Counter[bytes] = Counter()  # what was asked for and is not confirmed

    async def subscribe(self, *channels: str) -> None:
        await self._pubsub.ssubscribe(*map(_tagged, channels))

    async def unsubscribe(self, *channels: str) -> None:
        names = [_tagged(channel) for channel in channels]
        self._leaving.update(name.encode() for name in names)
        await self._pubsub.sunsubscribe(*names)

    async def get_message(self, *, timeout: float) -> dict[str, Any] | None:  # noqa: ASYNC109
        """Raises MovedAwayError when the node says that it has the slot no longer."""
        message = await self._pubsub.get_message(timeout=timeout)
        if message is None:
            return None
        if message["type"] == "sunsubscribe":
            self._leave(message["channel"])
        channel = NAME.encode() + message["channel"][len(_tagged("")) :]
        return {**message, "type": message["type"].removeprefix("s"), "channel": channel}

    def _leave(self, channel: bytes) -> None:
        if not self._leaving[channel]:
            raise MovedAwayError("the node has given our slot away")
        self._leaving[channel] -= 1
        if not self._leaving[channel]:
            del self._leaving[channel]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pubsub.aclose()  # type: ignore[no-untyped-call]


def create_redis(settings: CommonSettings, **options: Any) -> RedisServer:
    """What `REDIS_URL` names; options are those of redis-py's connections."""
    address = read_redis_address(settings.redis_url)
    kinds = {"server": RedisServer, "sentinel": SentinelServer, "cluster": ClusterServer}
    return kinds[address.kind](address, **options)


def _tagged(name: str) -> str:
    """One of our names, so that it is in our slot."""
    return f"{{{NAME}}}{name.removeprefix(NAME)}"


def _asking(address: RedisAddress, login: dict[str, str]) -> dict[str, Any]:
    """Options of those who are asked for the master."""
    return {**ASKING, **login, "ssl": address.tls is not None, **(address.tls or {})}
