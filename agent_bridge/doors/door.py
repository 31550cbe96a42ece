"""The door: a WebSocket server that agents take for the router."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from uuid import UUID

import asyncpg
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from agent_bridge.doors import queries
from agent_bridge.doors.admission import (
    Admission,
    AgentVisitor,
    CallVisitor,
    MasterVisitor,
    NobodyError,
    NotRegisteredError,
)
from agent_bridge.doors.behind import Behind
from agent_bridge.doors.calls import Caller, Callers
from agent_bridge.doors.closes import (
    NO_CREDENTIALS,
    POLICY_VIOLATION,
    TRY_AGAIN_LATER,
)
from agent_bridge.doors.connected import Connected
from agent_bridge.doors.connection import LOST_PLACE, Connection
from agent_bridge.doors.frames import dismissal
from agent_bridge.doors.refusals import note_refusal
from agent_bridge.router.lanes import RouterAwayError
from shared.codec.text import write_json
from shared.notifications.bus import Notifications
from shared.notifications.channels import TAKEN_PLACES
from shared.notifications.formats import encode_taken
from shared.postgres.pool import DatabaseAwayError, connect

logger = logging.getLogger(__name__)

PATH = "/ws"
STOP_SECONDS = 2.0  # in which a library that was told to stop has hung up
PING_SECONDS = 20.0
HEAD_SECONDS = 10.0
CLOSE_SECONDS = 2.0
RETRY_SECONDS = 0.5


class Door:
    """Lets in, and leads to the router."""

    def __init__(
        self,
        behind: Behind,
        connected: Connected,
        notifications: Notifications,
        bridge_id: UUID,
    ) -> None:
        self._behind = behind
        self._connected = connected
        self._notifications = notifications
        self._bridge_id = bridge_id
        self._admission = Admission(behind.settings, behind.database)
        self._callers = Callers()
        self._is_leaving = False
        self._leaving: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Be open until the block ends; then everybody is sent to another bridge."""
        settings = self._behind.settings
        async with serve(
            self._serve,
            settings.agents_host,
            settings.agents_port,
            process_request=self._look_at_head,
            max_size=settings.router_max_frame_bytes,
            open_timeout=HEAD_SECONDS,
            close_timeout=CLOSE_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            compression=None,
        ):
            try:
                yield
            finally:
                self.leave()
                await self._connected.close_all()
        await asyncio.gather(*self._leaving)

    def leave(self) -> None:
        """Let nobody in any more; who is there stays."""
        self._is_leaving = True

    def _look_at_head(self, client: ServerConnection, request: Request) -> Response | None:
        if request.path.partition("?")[0] != PATH:
            return client.respond(HTTPStatus.FORBIDDEN, "")
        if self._is_leaving:
            return client.respond(HTTPStatus.SERVICE_UNAVAILABLE, "this bridge goes down\n")
        return None

    async def _serve(self, client: ServerConnection) -> None:
        assert client.request is not None
        try:
            visitor = await self._admission.admit(client.request.headers)
            if isinstance(visitor, CallVisitor):
                settings = self._behind.settings
                await Caller(settings, self._admission, self._callers, client, visitor).serve()
            else:
                await self._serve_connection(client, visitor)
        except NobodyError as error:
            note_refusal("nobody", str(error), address=_address(client))
            await client.close(NO_CREDENTIALS, "Missing Authorization header")
        except NotRegisteredError as error:
            note_refusal("token", "an agent's token was refused", address=_address(client))
            await self._refuse(client, str(error))
        except (RouterAwayError, DatabaseAwayError) as error:
            logger.warning("somebody could not be let in, or not stay: %s", error)
            await client.close(TRY_AGAIN_LATER)

    async def _serve_connection(
        self, client: ServerConnection, visitor: AgentVisitor | MasterVisitor
    ) -> None:
        connection = Connection(self._behind, client, visitor)
        await self._connected.add(connection)
        try:
            await self._take_place(connection)
            logger.info("%s has come in", connection.identity)
            await connection.serve()
        finally:
            logger.info("%s has left (%s)", connection.identity, client.close_code)
            connection.ended.set()
            self._connected.remove(connection)
            leaving = asyncio.create_task(self._leave_place(connection))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
        await connection.close(LOST_PLACE)  # where it is still there

    async def _take_place(self, connection: Connection) -> None:
        try:
            async with connect(self._behind.database) as database:
                before = await queries.take_place(
                    database,
                    connection.identity,
                    connection.visitor.agent_id,
                    connection.id,
                    self._bridge_id,
                )
        except asyncpg.ForeignKeyViolationError:
            raise NotRegisteredError from None  # it was deleted meanwhile
        connection.has_place = True
        if before not in {None, self._bridge_id}:
            self._notifications.publish(TAKEN_PLACES, encode_taken(connection.identity))

    async def _leave_place(self, connection: Connection) -> None:
        """Have it noted, as soon as PostgreSQL is there, or this bridge's lease has run out."""
        deadline = asyncio.get_running_loop().time() + queries.LEASE_SECONDS
        while True:
            try:
                async with connect(self._behind.database) as database:
                    return await queries.leave_place(database, connection.identity, connection.id)
            except DatabaseAwayError as error:
                logger.warning("that %s is gone is not noted: %s", connection.identity, error)
            if self._is_leaving and asyncio.get_running_loop().time() > deadline:
                return None
            await asyncio.sleep(RETRY_SECONDS)

    async def _refuse(self, client: ServerConnection, reason: str) -> None:
        """Tell it so that it stops; both generations hang up then."""
        with suppress(ConnectionClosed, TimeoutError):
            await client.send(write_json(dismissal(reason)).decode())
            async with asyncio.timeout(STOP_SECONDS):
                await client.wait_closed()
        await client.close(POLICY_VIOLATION, reason)


def _address(client: ServerConnection) -> str:
    return str(client.remote_address[0]) if client.remote_address else "somebody"
