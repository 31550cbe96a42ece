"""An answer goes out no faster than it is taken, and not for ever."""

import asyncio
from typing import Any

import pytest

from gateway.web import answer as module
from gateway.web.answer import PIECE_BYTES, Answer
from shared.process.server import ABORT


class Client:
    """The server's side of a client that takes so many pieces."""

    def __init__(self, most: int) -> None:
        self.most, self.is_dropped = most, False
        self.bodies = list[bytes]()
        self.headers = dict[bytes, bytes]()
        self.scope: Any = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "extensions": {ABORT: {"abort": self.drop}},
        }

    def drop(self) -> None:
        self.is_dropped = True

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.headers = dict(message["headers"])
            return
        if len(self.bodies) == self.most:
            await asyncio.Event().wait()
        self.bodies.append(message["body"])
        self.is_done = not message.get("more_body", False)

    async def take(self, answer: Answer) -> None:
        await answer(self.scope, None, self.send)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "sizes", [[0], [5], [3, 4, 5], [PIECE_BYTES], [PIECE_BYTES + 1, 3], [10**6, 0, 1]]
)
async def test_all_of_it_is_sent_in_pieces(sizes: list[int]) -> None:
    client, pieces = Client(1000), [bytes([65 + n]) * size for n, size in enumerate(sizes)]
    await client.take(Answer(pieces, 200))
    assert b"".join(client.bodies) == b"".join(pieces)
    assert max(map(len, client.bodies)) <= PIECE_BYTES
    assert client.headers[b"content-length"] == b"%d" % sum(sizes)
    assert client.is_done
    assert not client.is_dropped


async def test_who_takes_it_too_slowly_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TAKE_SECONDS", 0.02)
    client = Client(2)
    await client.take(Answer([bytes(10 * PIECE_BYTES)], 200))
    assert client.is_dropped
    assert len(client.bodies) == 2
