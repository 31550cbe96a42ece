"""What stands around sockets: they are counted, and an open one keeps nothing of its handshake."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from gateway.web.sockets import OpenSockets, go_on


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def scope_of(**more: Any) -> Scope:
    """A handshake's."""
    known = {"type": "websocket", "client": ("192.0.2.1", 1), "headers": [], "state": {}}
    return {**known, "extensions": {}, **more}


async def connect() -> Message:
    return {"type": "websocket.connect"}


async def drop(_message: Message) -> None:
    pass


@pytest.mark.parametrize(
    ("code", "label"), [(1001, "1001"), (1013, "1013"), (4711, "other"), (1006, "lost")]
)
@pytest.mark.parametrize("is_ours", [False, True])
async def test_a_socket_counts_under_a_known_code_only(
    code: int, label: str, is_ours: bool
) -> None:
    async def serve(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        if is_ours:
            await send({"type": "websocket.close", "code": code})
        else:
            await receive()

    async def leave() -> Message:
        return {"type": "websocket.disconnect", "code": code}

    before = sample("genai_sockets_closed_total", code=label), sample("genai_sockets_open")
    await OpenSockets(serve)(scope_of(), leave, drop)
    after = sample("genai_sockets_closed_total", code=label), sample("genai_sockets_open")
    assert after == (before[0] + 1, before[1])


async def test_who_leaves_during_the_handshake_is_neither_refused_nor_open() -> None:
    names = ["genai_sockets_refused_total", "genai_sockets_open"]
    before = [sample(name) for name in names]

    async def serve(_scope: Scope, _receive: Receive, send: Send) -> None:
        with pytest.raises(OSError, match="gone"):
            await send({"type": "websocket.accept"})

    async def fail(_message: Message) -> None:
        raise OSError("gone")

    await OpenSockets(serve)(scope_of(), connect, fail)
    assert [sample(name) for name in names] == before


class Passage:
    """A middleware that notes whether it has returned."""

    def __init__(self, serve: Callable[[WebSocket], Awaitable[None]]) -> None:
        self._serve = serve
        self.has_returned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Leave the socket to be served."""
        await go_on(WebSocket({**scope, "seen": True}, receive, send), self._serve)
        self.has_returned = True


async def test_a_socket_is_served_when_all_that_it_came_through_has_returned() -> None:
    seen = []

    async def serve(_websocket: WebSocket) -> None:
        seen.append(passage.has_returned)

    passage = Passage(serve)
    await OpenSockets(passage)(scope_of(), connect, drop)
    assert seen == [True]


async def test_where_nothing_stands_around_a_socket_is_served_at_once() -> None:
    seen = []

    async def serve(_websocket: WebSocket) -> None:
        seen.append(passage.has_returned)

    passage = Passage(serve)
    await passage(scope_of(), connect, drop)
    assert seen == [False]


async def test_an_open_socket_keeps_its_client_its_state_and_what_it_is_traced_by_only() -> None:
    trace, kept = (b"traceparent", b"00-1-1-01"), list[Scope]()

    async def serve(websocket: WebSocket) -> None:
        await websocket.accept()
        kept.append(websocket.scope)

    scope = scope_of(headers=[trace, (b"cookie", b"x" * 1000)], query_string=b"token=secret")
    await OpenSockets(Passage(serve))(scope, connect, drop)
    known = {"type": "websocket", "client": ("192.0.2.1", 1), "state": {}, "headers": [trace]}
    assert (kept, scope) == ([known], {})


async def test_all_sockets_have_one_state() -> None:
    states = []

    async def serve(websocket: WebSocket) -> None:
        states.append(websocket.scope["state"])

    application = OpenSockets(Passage(serve))
    for _ in range(2):
        await application(scope_of(state={"a": 1}), connect, drop)
    assert states[0] is states[1]


async def test_a_socket_is_counted_as_open_until_it_is_served_to_its_end() -> None:
    before = sample("genai_sockets_open")

    async def serve(websocket: WebSocket) -> None:
        await websocket.accept()
        assert sample("genai_sockets_open") == before + 1
        raise LookupError

    with pytest.raises(LookupError):
        await OpenSockets(Passage(serve))(scope_of(), connect, drop)
    assert sample("genai_sockets_open") == before
