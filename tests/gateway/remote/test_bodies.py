"""Answers that are compressed although nobody asked for it."""

import gzip
import tracemalloc
import zlib

import pytest
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.a2a import lookup as a2a_lookup
from gateway.mcp import lookup as mcp_lookup
from gateway.remote.bodies import PIECE_BYTES
from gateway.remote.outbound import VISIT_BYTES, Outbound
from tests.gateway.outsiders import card_app, make_card, make_mcp, running, serving
from tests.gateway.remote.test_outbound import answering, failure, fetch, listening

OUT = Outbound(10.0, allow_private=True)
TEXT = b"what was said " * 5000  # more than a piece
LARGEST = b"x" * (VISIT_BYTES - 2000)
STORED_GZIP = gzip.compress(TEXT, compresslevel=0)


def packed(body: bytes, encoding: str = "gzip") -> bytes:
    length = f"Content-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
    return f"HTTP/1.1 200 OK\r\n{length}".encode() + body


def named(value: object) -> str:
    return value if isinstance(value, str) else "body"  # gzip's hold the time


async def told(answer: bytes) -> str:
    async with listening(answering(answer)) as port:
        return await failure(OUT, f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    ("encoding", "body", "text"),
    [
        ("gzip", gzip.compress(TEXT), TEXT),
        ("GZip", gzip.compress(TEXT), TEXT),
        ("x-gzip", gzip.compress(TEXT), TEXT),
        ("deflate", zlib.compress(TEXT), TEXT),
        ("gzip", STORED_GZIP, TEXT),
        ("gzip", gzip.compress(TEXT[:PIECE_BYTES]), TEXT[:PIECE_BYTES]),
        ("gzip", gzip.compress(LARGEST), LARGEST),
        ("gzip", gzip.compress(b""), b""),
        ("gzip", b"", b""),
        ("identity", b"plain", b"plain"),
    ],
    ids=named,
)
async def test_an_answer_is_unpacked(encoding: str, body: bytes, text: bytes) -> None:
    async with listening(answering(packed(body, encoding))) as port:
        answer = await fetch(OUT, f"http://127.0.0.1:{port}/")
    assert answer.content == text
    assert "Content-Encoding" not in answer.headers or encoding == "identity"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (packed(b"no gzip"), "its answer is not compressed as it says"),
        (packed(gzip.compress(TEXT)[:-9]), "its compressed answer ends too early"),
        (packed(STORED_GZIP[:100]), "its compressed answer ends too early"),
        (packed(b"x", "br"), "its answer is compressed by 'br'"),
        (packed(b"x", "gzip, gzip"), "its answer is compressed by 'gzip, gzip'"),
        (packed(b"x", "y" * 1000), f"its answer is compressed by '{'y' * 20}'"),
    ],
    ids=named,
)
async def test_an_answer_that_can_not_be_unpacked_is_told(answer: bytes, cause: str) -> None:
    assert await told(answer) == cause


async def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(500 * VISIT_BYTES))
    tracemalloc.start()
    cause = await told(packed(bomb))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert cause == f"it answers more than {VISIT_BYTES} bytes"
    assert most < 8 * VISIT_BYTES


def always_packing(app: ASGIApp) -> ASGIApp:
    """A server that compresses whatever its client takes."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        taking = {**scope, "headers": [*headers, (b"accept-encoding", b"gzip")]}
        await GZipMiddleware(app, minimum_size=1)(taking, receive, send)

    return serve


async def test_servers_that_compress_are_looked_up() -> None:
    async with running(make_mcp("echo")) as [app], serving(always_packing(app)) as outsider:
        [tool] = (await mcp_lookup.look_up(OUT, f"{outsider.url}/mcp")).tools
    async with serving(always_packing(card_app(make_card()))) as outsider:
        found = await a2a_lookup.look_up(OUT, outsider.url)
    assert (tool.name, found.card.name) == ("echo", "My_Agent")
