"""Streams to clients that want to know when their tools change."""

from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

from mcp_types import SubscriptionFilter
from mcp_types.version import is_version_at_least
from starlette.responses import Response

from gateway.mcpserver.exchanges import COME_BACK, RESUMING, Exchange, result_of
from gateway.mcpserver.server import shape
from gateway.mcpserver.words import notification
from gateway.openapi.schemas import Json
from gateway.state import State
from gateway.streams.sse import EventStream, encode_event, open_stream
from gateway.web.call import Call
from shared.codec.text import write_json

SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"
LISTEN = "subscriptions/listen"
CHANGED = "notifications/tools/list_changed"
STATE = "tools-"  # what ids of events begin with that say which tools the client knows of


def listen_in_session(call: Call[Any, Any], version: str, event_id: str) -> Response:
    """The stream of a client that has a session: it is told of every change.

    If it comes back, of one since the event that it was told last, too.
    """
    known = event_id.removeprefix(STATE) or None
    is_primed = is_version_at_least(version, RESUMING)
    pieces = _tell_session(call.state, call.user_id, known, is_primed=is_primed)
    return open_stream(call, EventStream(pieces, ends_by_itself=False))


def subscribe(call: Call[Any, Any], exchange: Exchange) -> Response:
    """The stream that is a request itself: it says first what of its wishes can be met."""
    assert exchange.id is not None
    about = {"_meta": {SUBSCRIPTION: exchange.id}}
    wanted = SubscriptionFilter.model_validate((exchange.params or {})["notifications"])
    is_wanted = bool(wanted.tools_list_changed)
    end = result_of(exchange.id, shape(LISTEN, exchange.version, about))
    stream = EventStream(
        _tell_subscriber(call.state, call.user_id, about, is_wanted=is_wanted),
        ends_by_itself=False,
        farewell=lambda _: _encode(end),
    )
    return open_stream(call, stream)


async def _tell_subscriber(
    state: State, owner: UUID, about: Json, *, is_wanted: bool
) -> AsyncGenerator[bytes]:
    met = {"toolsListChanged": True} if is_wanted else {}
    acknowledged = notification(
        "notifications/subscriptions/acknowledged", {**about, "notifications": met}
    )
    async with state["changes"].of(owner) as states:
        yield _encode(acknowledged)
        await anext(states)
        async for _ in states:
            if is_wanted:
                yield _encode(notification(CHANGED, about))


async def _tell_session(
    state: State, owner: UUID, known: str | None, *, is_primed: bool
) -> AsyncGenerator[bytes]:
    async with state["changes"].of(owner) as states:
        async for now in states:
            id_ = f"{STATE}{now}"
            if known not in {None, now}:
                yield encode_event(write_json(notification(CHANGED, {})), id_=id_)
            elif is_primed:
                yield COME_BACK + encode_event(b"", id_=id_)
            known = now


def _encode(message: Json) -> bytes:
    return encode_event(write_json(message))
