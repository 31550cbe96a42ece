"""A request that was checked, as handlers take it."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import attrs
from attrs import field, frozen
from databases import Database
from databases.core import Connection
from starlette.requests import Request

from gateway.state import State
from gateway.web.addresses import base_of
from gateway.web.callers import Caller
from gateway.web.paging import MOST_BYTES, SMALL_BYTES, Page, Slice, cut
from shared.postgres.pool import give_back


@frozen
class Call[Body, Parameters]:
    """A request that was checked."""

    body: Body
    parameters: Parameters
    caller: Caller | None
    state: State
    request: Request
    held: AsyncExitStack = field(factory=AsyncExitStack)
    """What is kept until the answer is taken."""

    async def read_page[T](
        self,
        select: Callable[[Connection, Slice], Awaitable[Page[T]]],
        part: Slice | None = None,
    ) -> Page[T]:
        """Read a page of a list, by default the one that the parameters name.

        One that is large is read when there is room for it in memory. Raises TooManyRequestsError,
        UnavailableError.
        """
        asked: Any = self.parameters
        part = part or Slice(cut(asked.limit), asked.offset)
        replica = self.state["replica"]
        first = attrs.evolve(part, is_cut=False)
        page = await replica.read(lambda connection: select(connection, first))
        if page.size <= SMALL_BYTES:
            return page
        await self.make_room(page.size)
        whole = attrs.evolve(part, most_bytes=MOST_BYTES)
        return await replica.read(lambda connection: select(connection, whole))

    async def make_room(self, size: int) -> None:
        """Wait until there is room for an answer of so many bytes, unless it is small.

        Raises TooManyRequestsError, UnavailableError.
        """
        if size > SMALL_BYTES:
            await give_back(self.database)
            turns = self.state["turns"]
            large = turns.with_large_answer(self.user_id, min(size, MOST_BYTES))
            await self.held.enter_async_context(large)

    def next_address(self, page: Page[Any], told: int) -> str | None:
        """Where the rest of a list is when so many things of the page are told, if there is any."""
        if page.following is not None:
            return page.following(told)
        counted = told - page.uncounted
        if not (counted > 0 and page.has_more):
            return None
        asked: Any = self.parameters
        given, names = self.request.query_params, {"user_id", *attrs.fields_dict(type(asked))}
        query = {name: given[name] for name in given if name in names}
        return self.address(urlencode({**query, "offset": asked.offset + counted}))

    def address(self, query: str) -> str:
        """The request's own address for clients, with another query.

        Without its host where no setting says that: RFC 3986, 4.2.
        """
        base = base_of(self.request, self.state["settings"])
        return f"{base}{self.request.scope['path']}?{query}"

    @property
    def database(self) -> Database:
        """The pool; `connect` inside a handler lends the connection that checked the caller."""
        return self.state["database"]

    def turn(self, operation: str) -> AbstractAsyncContextManager[None]:
        """A turn of the caller's, where none was lent: to be taken before a connection is.

        Raises TooManyRequestsError, UnavailableError.
        """
        return self.state["turns"].turn(self.user_id, operation)

    @property
    def user_id(self) -> UUID:
        """In whose name the caller acts; only where the operation does not let in anyone."""
        assert self.caller is not None
        return self.caller.user_id

    @property
    def agent_id(self) -> UUID | None:
        """The agent that calls in its creator's name, where it is one."""
        return None if self.caller is None else self.caller.agent_id
