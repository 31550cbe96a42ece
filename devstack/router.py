"""A stand-in for the message router: `python -m devstack.router`.

As the real one it authenticates nobody, so only bridges are to reach it.
"""

import asyncio
import json
import os
import signal
import sys
from collections import deque
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from http import HTTPStatus

from attrs import define, field
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from devstack.processes import HOST, StackError
from devstack.routing import Delivery, HandlerDiedError, Keys, Peer, Router, identify

MAX_FRAME_BYTES = 64 * 1024 * 1024
MAX_BACKLOG_BYTES = 4 * MAX_FRAME_BYTES  # of one connection that does not read what it is sent
NO_CREDENTIALS = 4000


@define(eq=False)
class Outbox:
    """The frames on their way to one connection, sent by a task of their own.

    So a connection that does not read delays nobody else, and is cut off when too much waits.
    """

    connection: ServerConnection
    _waiting: deque[str] = field(factory=deque, init=False)
    _backlog: int = field(default=0, init=False)
    _filled: asyncio.Event = field(factory=asyncio.Event, init=False)

    def put(self, text: str) -> None:
        """Queue a frame."""
        self._waiting.append(text)
        self._backlog += len(text)
        self._filled.set()
        if self._backlog > MAX_BACKLOG_BYTES:
            self.connection.transport.abort()

    async def send_all(self) -> None:
        """Send what is queued, for ever; the connection's end is noticed by its reader."""
        with suppress(ConnectionClosed):
            while True:
                await self._filled.wait()
                self._filled.clear()
                while self._waiting:
                    text = self._waiting.popleft()
                    await self.connection.send(text)
                    self._backlog -= len(text)


@define
class RouterServer:
    """The router's connections, each with its outbox."""

    router: Router
    outboxes: dict[Peer, Outbox] = field(factory=dict, init=False)

    async def handle(self, connection: ServerConnection) -> None:
        """Serve one connection until it ends."""
        headers = connection.request.headers if connection.request else {}
        peer = identify(headers, self.router.keys)
        if peer is None:
            await connection.close(NO_CREDENTIALS, "Missing Authorization header")
            return
        outbox = self.outboxes[peer] = Outbox(connection)
        self.router.connect(peer)
        writer = asyncio.create_task(outbox.send_all())
        try:
            await self._read(connection, peer)
            self._deliver(self.router.disconnect(peer))
        except HandlerDiedError:  # as there, nobody is told
            self.router.disconnect(peer)
            connection.transport.abort()
        finally:
            del self.outboxes[peer]
            writer.cancel()

    async def _read(self, connection: ServerConnection, peer: Peer) -> None:
        with suppress(ConnectionClosed):
            async for message in connection:
                if isinstance(message, bytes):
                    raise HandlerDiedError("a binary frame")
                self._deliver(self.router.receive(peer, message))

    def _deliver(self, deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            if outbox := self.outboxes.get(delivery.to):
                outbox.put(json.dumps(delivery.frame))


def _refuse_other_paths(connection: ServerConnection, request: Request) -> Response | None:
    if request.path.partition("?")[0] == "/ws":
        return None
    return connection.respond(HTTPStatus.FORBIDDEN, "")


async def start_router(keys: Keys, port: int, host: str = HOST) -> Server:
    """Start a router at `ws://<host>:<port>/ws`; 0 is any free port."""
    return await serve(
        RouterServer(Router(keys)).handle,
        host,
        port,
        process_request=_refuse_other_paths,
        max_size=MAX_FRAME_BYTES,
        compression=None,
    )


def _read_keys(environment: Mapping[str, str]) -> Keys:
    names = ("MASTER_BE_API_KEY", "MASTER_AGENT_API_KEY")
    if missing := [name for name in names if not environment.get(name)]:
        raise StackError(f"The router needs {' and '.join(missing)} in the environment.")
    return Keys(*(environment[name] for name in names))


async def _serve(keys: Keys, host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(await start_router(keys, port, host))
        print(f"router listening on ws://{host}:{port}/ws", flush=True)
        await stop.wait()


def main() -> None:
    """Run a router until SIGINT or SIGTERM."""
    try:
        host = os.environ.get("ROUTER_HOST") or HOST
        port = int(os.environ.get("ROUTER_PORT") or "8080")
        asyncio.run(_serve(_read_keys(os.environ), host, port))
    except (StackError, OSError, ValueError, OverflowError) as fault:
        sys.exit(str(fault))


if __name__ == "__main__":
    main()
