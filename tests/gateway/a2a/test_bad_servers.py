"""A2A agents' servers that misbehave: each is bounded and told in a sentence."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.a2a.lookup import FoundCard, look_up
from gateway.remote.errors import UnreachableError
from gateway.remote.outbound import VISIT_BYTES, Outbound
from tests.gateway.outsiders import Outsider, serving
from tests.gateway.remote.test_outbound import Serve, listening, trickle

OUT = Outbound(10.0, allow_private=True)
CARD = {"name": "n", "description": "d", "url": "http://127.0.0.1:9/rpc"}
BODY = json.dumps(CARD).encode()


def saying(head: bytes, body: bytes = BODY) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 " + head + b"\r\nConnection: close\r\n\r\n" + body)
        await writer.drain()

    return serve


@pytest.mark.parametrize(
    ("serve", "cause"),
    [
        (saying(b"200 OK\r\nContent-Length: 5000"), "It breaks the connection off, or does not"),
        (saying(b"200 OK\r\nContent-Length: 20"), "Its card is not one of an A2A agent: "),
        (saying(b"200 OK\r\nContent-Length: -1"), "It breaks the connection off, or does not"),
        (saying(b"200 OK\r\nTransfer-Encoding: chunked", b"5\r\n{"), "It breaks the connection"),
        (saying(b"200 OK", b"<html>Welcome</html>"), "Its card is not one of an A2A agent: 0: "),
        (saying(b"200 OK", b""), "Its card is not one of an A2A agent: 0: Invalid JSON"),
        (saying(b"204 No Content", b""), "Its card is not one of an A2A agent: 0: Invalid JSON"),
        (saying(b"302 X\r\nLocation: http://10.0.0.1/?k=v"), "It answers 302 Found, to http://10."),
        (saying(b"200 OK", b"x" * (VISIT_BYTES + 1)), "It answers more than 1048576 bytes"),
        (saying(b"418 X"), "It answers 418 "),
    ],
)
async def test_what_is_wrong_is_told_in_a_sentence(serve: Serve, cause: str) -> None:
    async with listening(serve) as port:
        with pytest.raises(UnreachableError) as caught:
            await look_up(OUT, f"http://127.0.0.1:{port}/weather")
    assert caught.value.sentence.startswith(cause)


async def test_one_that_drips_is_left_in_time() -> None:
    async with listening(trickle) as port:
        with pytest.raises(UnreachableError, match=r"it gives no answer within 0\.3 seconds"):
            await look_up(Outbound(0.3, allow_private=True), f"http://127.0.0.1:{port}/weather")


@asynccontextmanager
async def answering_at(answers: Mapping[str, Response]) -> AsyncIterator[Outsider]:
    """A server that says something else at each path."""

    async def answer(request: Request) -> Response:
        return answers.get(request.url.path, Response("no", 404))

    async with serving(Starlette(routes=[Route("/{path:path}", answer)])) as outsider:
        yield outsider


async def find(
    answers: Mapping[str, Response], path: str, card_url: str | None = None
) -> FoundCard:
    async with answering_at(answers) as outsider:
        known = card_url and outsider.url + card_url
        return await look_up(OUT, outsider.url + path, known)


NEW, OLD = "/.well-known/agent-card.json", "/.well-known/agent.json"


@pytest.mark.parametrize("bad", [Response("oh", 500), Response("<html>"), JSONResponse([])])
async def test_a_card_is_found_behind_what_is_bad(bad: Response) -> None:
    found = await find({f"/weather{NEW}": bad, f"/weather{OLD}": JSONResponse(CARD)}, "/weather")
    assert found.card_url.endswith(f"/weather{OLD}")
    assert found.address.endswith("/weather")


async def test_of_several_failures_the_first_that_tells_something_is_told() -> None:
    with pytest.raises(UnreachableError, match="it answers 500 Internal Server Error"):
        await find({f"/weather{OLD}": Response("oh", 500), NEW: Response("<html>")}, "/weather")


async def test_a_known_agent_does_not_become_the_one_at_its_host() -> None:
    cards = {NEW: JSONResponse(CARD)}
    with pytest.raises(UnreachableError, match="it answers 404 Not Found"):
        await find(cards, "/weather", f"/weather{NEW}")
    assert not (await find(cards, "/weather")).address.endswith("/weather")
