"""Visits to URLs that users give: where they may lead, and how much they may cost."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from starlette.requests import Request

from gateway.a2a import lookup as a2a_lookup
from gateway.a2a.routes import create_a2a_agent
from gateway.a2a.schemas import NewA2AAgent
from gateway.mcp import lookup as mcp_lookup
from gateway.mcp.routes import create_server
from gateway.mcp.schemas import NewServer
from gateway.remote import outbound
from gateway.remote.errors import UnreachableError
from gateway.remote.outbound import Outbound
from gateway.web import turns
from gateway.web.call import Call
from gateway.web.callers import Caller
from gateway.web.errors import BadRequestError, TooManyRequestsError
from gateway.web.inputs import Nothing
from gateway.web.turns import Turns

type LookUp = Callable[[Outbound, str], Awaitable[object]]
type Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def listening(serve: Serve, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """A TCP server; gives its port."""

    async def serve_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the visitor went
        finally:
            writer.close()

    server = await asyncio.start_server(serve_and_close, host, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@contextmanager
def not_accepting(host: str, port: int) -> Iterator[None]:
    """An address that lets connections wait: its queue is full."""
    with ExitStack() as stack:
        stack.enter_context(socket.create_server((host, port), backlog=0))
        for _ in range(2):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((host, port))
        yield


def answering(answer: bytes, seen: list[bytes] | None = None) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if seen is not None:
            seen.append(request)
        writer.write(answer)
        await writer.drain()

    return serve


def resolving(*answers: list[str]) -> tuple[outbound.Resolve, list[str]]:
    """A resolver that gives one answer after the other, and the hosts it was asked for."""
    asked: list[str] = []

    async def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return resolve, asked


async def fetch(out: Outbound, url: str) -> httpx2.Response:
    async with out.visit() as client:
        return await client.get(url)


async def failure(out: Outbound, url: str) -> str:
    with pytest.raises(UnreachableError) as caught:
        await fetch(out, url)
    return str(caught.value)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "127.1",
        "0177.0.0.1",
        "0",
        "localhost",
        "localhost.",
        "LOCALHOST",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1%25lo]",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "%31%32%37.0.0.1",
    ],
)
async def test_no_spelling_of_a_private_address_is_connected_to(host: str) -> None:
    connections: list[bytes] = []
    async with listening(answering(OK, connections)) as port:
        await failure(Outbound(10.0, allow_private=False), f"http://{host}:{port}/")
    assert connections == []


@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f.1", "2130706433", "localhost"])
async def test_private_addresses_can_be_allowed(host: str) -> None:
    async with listening(answering(OK)) as port:
        answer = await fetch(Outbound(10.0, allow_private=True), f"http://{host}:{port}/")
    assert answer.text == "ok"


async def test_a_name_that_leads_to_a_private_address_is_refused() -> None:
    resolve, asked = resolving(["127.0.0.1"])
    out = Outbound(10.0, allow_private=False, resolve=resolve)
    assert "inner.example" in await failure(out, "http://inner.example/")
    assert asked == ["inner.example"]


@pytest.mark.parametrize("look_up", [a2a_lookup.look_up, mcp_lookup.look_up])
async def test_a_look_up_tells_why_a_host_is_not_visited(look_up: LookUp) -> None:
    with pytest.raises(UnreachableError, match="is not on the public internet"):
        await look_up(Outbound(10.0, allow_private=False), "http://127.0.0.1:9/mcp")


@pytest.mark.parametrize(
    ("create", "body"),
    [
        (create_server, NewServer("http://127.0.0.1:9/mcp", {}, "token")),
        (create_a2a_agent, NewA2AAgent("http://127.0.0.1:9", {})),
    ],
)
async def test_a_user_is_told_that_a_host_is_not_visited(
    create: Callable[[Any], Awaitable[object]], body: object
) -> None:
    state: Any = {"outbound": Outbound(10.0, allow_private=False), "turns": Turns(1, 1)}
    caller = Caller(uuid4())
    call = Call(body, Nothing(), caller, state, Request({"type": "http"}))
    with pytest.raises(BadRequestError, match="is not on the public internet"):
        await create(call)


async def test_a_user_has_a_few_look_ups_at_a_time_and_others_have_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.1)
    greedy, other = Caller(uuid4()), Caller(uuid4())
    visits = asyncio.Queue[None]()

    async def note_and_hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.put_nowait(None)
        await hang(reader, writer)

    async with listening(note_and_hang) as port, asyncio.TaskGroup() as tasks:
        state: Any = {"outbound": Outbound(10.0, allow_private=True), "turns": Turns(1, 1)}
        request = Request({"type": "http"})
        mcp = NewServer(f"http://127.0.0.1:{port}/mcp", {}, "token")
        a2a = NewA2AAgent(f"http://127.0.0.1:{port}", {})

        async def add(caller: Caller, *, is_mcp: bool) -> None:
            if is_mcp:
                await create_server(Call(mcp, Nothing(), caller, state, request))
            else:
                await create_a2a_agent(Call(a2a, Nothing(), caller, state, request))

        hanging = [
            tasks.create_task(add(greedy, is_mcp=number % 2 == 0))
            for number in range(turns.LOOKUPS_PER_USER)
        ]
        for _ in hanging:
            await visits.get()
        for is_mcp in (True, False):
            with pytest.raises(TooManyRequestsError):
                await add(greedy, is_mcp=is_mcp)
        hanging.append(tasks.create_task(add(other, is_mcp=True)))
        await visits.get()
        assert visits.empty()
        for task in hanging:
            task.cancel()


async def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    resolve, _ = resolving(["8.8.8.8", "10.0.0.1"])
    out = Outbound(10.0, allow_private=False, resolve=resolve)
    assert "public internet" in await failure(out, "http://both.example/")


async def test_a_name_is_resolved_once_and_that_address_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[bytes] = []
    async with listening(answering(OK, seen), "127.0.0.2") as good, listening(answering(OK)) as bad:
        monkeypatch.setattr(outbound, "is_public", lambda address: str(address) == "127.0.0.2")
        resolve, asked = resolving(["127.0.0.2"], ["127.0.0.1"])
        out = Outbound(10.0, allow_private=False, resolve=resolve)
        assert (await fetch(out, f"http://name.example:{good}/")).text == "ok"
        assert asked == ["name.example"]
        assert f"Host: name.example:{good}".encode() in seen[0]
        await failure(out, f"http://name.example:{bad}/")  # rebound by now, and judged again


async def test_the_next_address_is_tried_when_nothing_listens_at_the_first() -> None:
    async with listening(answering(OK)) as port:
        resolve, _ = resolving(["127.0.0.9", "127.0.0.1"])
        out = Outbound(10.0, allow_private=True, resolve=resolve)
        assert (await fetch(out, f"http://name.example:{port}/")).text == "ok"


async def test_the_next_address_is_tried_when_the_first_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbound, "CONNECT_SECONDS", 0.2)
    resolve, _ = resolving(["127.0.0.9", "127.0.0.1"])
    out = Outbound(10.0, allow_private=True, resolve=resolve)
    async with listening(answering(OK)) as port:
        with not_accepting("127.0.0.9", port):
            assert (await fetch(out, f"http://name.example:{port}/")).text == "ok"


async def test_the_only_address_has_a_share_of_all_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbound, "CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    started = asyncio.get_running_loop().time()
    with not_accepting("127.0.0.1", port):
        told = await failure(Outbound(2.0, allow_private=True), f"http://127.0.0.1:{port}/")
    assert told == "it can't be connected to in time"
    assert 0.7 < asyncio.get_running_loop().time() - started < 2


async def test_tls_is_made_with_the_name_of_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[object] = []
    wrap = ssl.SSLContext.wrap_bio

    def wrap_bio(self: ssl.SSLContext, *args: object, **options: object) -> ssl.SSLObject:
        names.append(options["server_hostname"])
        return wrap(self, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(ssl.SSLContext, "wrap_bio", wrap_bio)
    async with listening(answering(OK)) as port:
        resolve, _ = resolving(["127.0.0.1"])
        await failure(
            Outbound(1.0, allow_private=True, resolve=resolve), f"https://name.example:{port}/"
        )
    assert names == [b"name.example"]  # as anyio encodes it
    # The server has ended here: the connection was closed, though nobody answered it.


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed(status: int) -> None:
    seen: list[bytes] = []
    async with listening(answering(OK, seen)) as inner:
        there = f"http://127.0.0.1:{inner}/"
        head = f"HTTP/1.1 {status} X\r\nLocation: {there}\r\nContent-Length: 0\r\n\r\n"
        async with listening(answering(head.encode())) as port:
            answer = await fetch(Outbound(10.0, allow_private=True), f"http://127.0.0.1:{port}/")
    assert (answer.status_code, seen) == (status, [])


async def test_a_client_that_follows_redirects_is_judged_at_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[bytes] = []
    monkeypatch.setattr(outbound, "is_public", lambda address: str(address) == "127.0.0.2")
    async with listening(answering(OK, seen)) as inner:
        head = f"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:{inner}/\r\nContent-Length: 0\r\n\r\n"
        async with listening(answering(head.encode()), "127.0.0.2") as port:
            with pytest.raises(UnreachableError, match="public internet"):
                async with Outbound(10.0, allow_private=False).visit() as client:
                    await client.get(f"http://127.0.0.2:{port}/", follow_redirects=True)
    assert seen == []


@pytest.mark.parametrize("chunked", [False, True])
async def test_an_answer_above_the_bound_is_not_read(chunked: bool) -> None:
    size = 2 * outbound.VISIT_BYTES
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (size, b"x" * size) if chunked else b"x" * size
    header = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % size
    async with listening(answering(b"HTTP/1.1 200 OK\r\n" + header + b"\r\n\r\n" + body)) as port:
        told = await failure(Outbound(10.0, allow_private=True), f"http://127.0.0.1:{port}/")
    assert "bytes" in told


async def hang(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()  # until the visitor goes


async def trickle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("serve", [hang, trickle])
async def test_a_visit_ends_in_time(serve: Serve) -> None:
    started = asyncio.get_running_loop().time()
    async with listening(serve) as port:
        told = await failure(Outbound(0.3, allow_private=True), f"http://127.0.0.1:{port}/")
    assert "0.3 seconds" in told
    assert asyncio.get_running_loop().time() - started < 2


async def test_a_resolver_that_hangs_ends_in_time() -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    told = await failure(Outbound(0.3, allow_private=True, resolve=resolve), "http://name.example/")
    assert "seconds" in told


@pytest.mark.parametrize("banner", [b"SSH-2.0-OpenSSH_9.9\r\n", b"\x00\xff" * 50, b""])
async def test_a_server_of_another_protocol_is_unreachable(banner: bytes) -> None:
    async with listening(answering(banner)) as port:
        await failure(Outbound(10.0, allow_private=True), f"http://127.0.0.1:{port}/")


async def test_a_host_that_does_not_exist_is_named() -> None:
    told = await failure(Outbound(10.0, allow_private=True), "http://nowhere.invalid/")
    assert "nowhere.invalid" in told


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with listening(answering(OK)) as port:
        answer = await fetch(Outbound(10.0, allow_private=True), f"http://127.0.0.1:{port}/")
    assert answer.text == "ok"
