"""Who may come in at a door, and as whom: what a connection proves counts, not what it claims."""

from collections.abc import Mapping
from hmac import compare_digest
from uuid import UUID

from attrs import field, frozen
from databases import Database
from websockets.datastructures import MultipleValuesError

from agent_bridge.agents.registry import NOT_REGISTERED
from agent_bridge.doors import queries
from agent_bridge.router.frames import MASTER_SERVER_ML, read_identity
from shared.postgres.pool import connect
from shared.settings.bridge import BridgeSettings
from shared.tokens import read_token, select_is_current

HEADERS = ("API-KEY", "X-Custom-Authorization", "x-custom-invoke-key")


@frozen
class AgentVisitor:
    """An agent, with the token that proves it."""

    agent_id: UUID
    owner: UUID
    token: str = field(repr=False)

    @property
    def identity(self) -> str:
        """What the router knows it as."""
        return str(self.agent_id)


@frozen
class MasterVisitor:
    """The master agent, which has shown its key."""

    agent_id: None = None
    token: None = None
    identity: str = MASTER_SERVER_ML


@frozen
class CallVisitor:
    """A connection for calls of one agent by another one, or by the master agent (None)."""

    caller: UUID | None
    callee: UUID

    @property
    def key(self) -> str:
        """Who calls whom, without a secret."""
        return f"{self.caller or MASTER_SERVER_ML}:{self.callee}"


type Visitor = AgentVisitor | MasterVisitor | CallVisitor


class NobodyError(Exception):
    """It says nothing by which it could be somebody, or shows a key that is none."""


class NotRegisteredError(Exception):
    """It shows a token that is not one of an agent that exists, or no longer."""

    def __init__(self) -> None:
        super().__init__(NOT_REGISTERED)


class Admission:
    """Looks at what a connection shows. Raises DatabaseAwayError where it can't be looked up."""

    def __init__(self, settings: BridgeSettings, database: Database) -> None:
        self._secret_key = settings.secret_key
        self._master_key = (settings.master_agent_api_key or "").encode()
        self._database = database

    async def admit(self, headers: Mapping[str, str]) -> Visitor:
        """Who comes. Raises NobodyError, NotRegisteredError.

        A caller is not looked up here, but with each call.
        """
        try:
            key, token, call = (headers.get(name) for name in HEADERS)
        except MultipleValuesError:
            raise NobodyError("it shows two of a kind") from None
        if key:
            if not self._is_master(key):
                raise NobodyError("it shows a key that is not the master agent's")
            return MasterVisitor()
        if token:
            return await self._read_token(token)
        if call:
            return self._read_call(call)
        raise NobodyError("it shows nothing")

    async def may_call(self, visitor: CallVisitor, request_id: str) -> bool:
        """Whether a call may be made now, in the name of this request."""
        async with connect(self._database) as connection:
            if visitor.caller is not None:
                return await queries.select_may_call(connection, visitor.caller, visitor.callee)
            id_ = read_identity(request_id)
            return id_ is not None and await queries.select_works_for(
                connection, id_, visitor.callee
            )

    def _is_master(self, key: str) -> bool:
        return bool(self._master_key) and compare_digest(
            key.encode(errors="surrogateescape"), self._master_key
        )

    async def _read_token(self, token: str) -> AgentVisitor:
        claims = read_token(self._secret_key, token)
        if claims is None or claims.agent_id is None:
            raise NotRegisteredError
        async with connect(self._database) as connection:
            if not await select_is_current(connection, claims, token):
                raise NotRegisteredError
        return AgentVisitor(claims.agent_id, claims.user_id, token)

    def _read_call(self, key: str) -> CallVisitor:
        """Who calls whom; the master agent names itself by its key."""
        caller, _, callee = key.rpartition(":")
        callee_id, caller_id = read_identity(callee), read_identity(caller)
        if callee_id is None or (caller_id is None and not self._is_master(caller)):
            raise NobodyError("it shows a key for calls that names no agents")
        return CallVisitor(caller_id, callee_id)
