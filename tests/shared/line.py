"""A TCP line to a server that a test can cut, stall and mend: it goes away and comes back."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from threading import Thread

from attrs import define, field, frozen

from devstack.processes import HOST


@define
class Line:
    """Passes bytes on from a port of its own; `cut` also resets what is connected."""

    target: int
    port: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(factory=set)
    _flowing: asyncio.Event = field(factory=asyncio.Event)

    async def mend(self) -> None:
        """Listen, on the same port as before, and pass on what comes."""
        self._flowing.set()
        if self._server is not None and self._server.is_serving():
            return
        self._server = await asyncio.start_server(self.accept, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Refuse whoever comes and drop whoever is there."""
        assert self._server is not None
        self._server.close()
        await self.drop()

    def stall(self) -> None:
        """Take what comes and pass nothing on, in either direction, until it is mended."""
        self._flowing.clear()

    async def drop(self) -> None:
        """Reset what is connected; whoever comes is served."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection, whatever listens for it."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self.target)
        except (OSError, asyncio.CancelledError):  # the server is away too
            writer.transport.abort()
            return
        try:
            await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            far_writer.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._flowing.wait()
            writer.write(data)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def run_line(target: int) -> AsyncIterator[Line]:
    """A line that is whole."""
    line = Line(target)
    await line.mend()
    try:
        yield line
    finally:
        await line.cut()


@frozen
class LineAside:
    """A line in a thread of its own, for tests that block their loop meanwhile."""

    line: Line
    _loop: asyncio.AbstractEventLoop

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.line.port

    def mend(self) -> None:
        """Mend the line."""
        self._do(self.line.mend())

    def cut(self) -> None:
        """Cut the line."""
        self._do(self.line.cut())

    def stall(self) -> None:
        """Stall the line."""
        self._loop.call_soon_threadsafe(self.line.stall)

    def _do(self, work: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()


@contextmanager
def run_line_aside(target: int) -> Iterator[LineAside]:
    """A line that is whole, in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    line = LineAside(Line(target), loop)
    try:
        line.mend()
        yield line
        line.cut()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
