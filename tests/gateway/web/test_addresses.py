"""Addresses of ours as clients see them, and who may say what they are."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import attrs
import httpx2
import pytest
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from devstack.processes import HOST
from gateway.web.addresses import TrustedProxies, prefix_of, whole_base_of
from shared.settings.installation import Settings
from tests.gateway.shapes import good
from tests.sql import run_sql
from tests.system import Stores, System
from tests.users import User, register_user

PUBLIC = "https://chat.example:8443/genai"
ORIGIN = "https://chat.example:8443"


@pytest.mark.parametrize(
    ("said", "prefix"),
    [
        ("/genai", "/genai"),
        ("/genai/", "/genai"),
        ("/a/b-c.d_e~f", "/a/b-c.d_e~f"),
        ("/", ""),
        ("", ""),
        ("genai", ""),
        ("//evil.example", ""),
        ("/a//b", ""),
        ("https://evil.example", ""),
        ("/a/../b", ""),
        ('/a"><script>', ""),
        ("/a\\b", ""),
        ("/a, /b", ""),
        ("/" + "a" * 300, ""),
    ],
)
def test_a_prefix_is_a_path_or_nothing(said: str, prefix: str) -> None:
    assert prefix_of(Headers({"X-Forwarded-Prefix": said})) == prefix


@pytest.mark.parametrize(
    ("client", "is_believed"),
    [
        (("10.0.0.7", 1), True),
        (("10.0.1.7", 1), False),
        (("fd00::7", 1), True),
        (("::1", 1), False),
        (("no address", 1), False),
        (None, False),
    ],
)
async def test_only_a_trusted_proxy_is_believed(
    client: tuple[str, int] | None, is_believed: bool
) -> None:
    seen: list[Headers] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(Headers(scope=scope))

    async def receive() -> Message:
        raise NotImplementedError

    async def send(_message: Message) -> None:
        raise NotImplementedError

    headers = [(b"x-forwarded-prefix", b"/genai"), (b"x-other", b"1")]
    scope = {"type": "http", "client": client, "headers": headers}
    await TrustedProxies(app, ["10.0.0.0/24", "fd00::/8"])(scope, receive, send)
    assert prefix_of(seen[0]) == ("/genai" if is_believed else "")
    assert seen[0]["x-other"] == "1"


@pytest.fixture(scope="module")
def public_system(stores: Stores) -> Iterator[System]:
    """A gateway that knows where it is, and believes this machine."""
    with stores.system(
        PUBLIC_URL=f"{PUBLIC}/", TRUSTED_PROXIES=HOST, BACKEND_CORS_ORIGINS="[]"
    ) as system:
        system.start_gateway()
        yield system


@pytest.fixture(scope="module")
async def resident(public_system: System) -> AsyncIterator[User]:
    async with register_user(public_system.gateway) as user:
        yield user


async def test_links_are_at_the_public_url_whatever_the_proxy_says(
    public_system: System, resident: User
) -> None:
    session_id = str(uuid4())
    good(await resident.http.post("/api/chats", json={"session_id": session_id, "title": "t"}))
    with run_sql(public_system.settings) as sql:
        sql(
            """
            INSERT INTO chatmessages (id, sender_type, content, created_at, conversation_id)
            SELECT gen_random_uuid(), 'user', 'hello', now(), %s FROM generate_series(1, 2)
            """,
            session_id,
        )
    query = {"session_id": session_id, "per_page": "1"}
    headers = {"X-Forwarded-Prefix": "/other", "Host": "evil.example"}
    history = good(await resident.http.get("/api/chat", params=query, headers=headers))
    expected = f"{PUBLIC}/api/chat?session_id={session_id}&per_page=1&page=2"
    assert history["next_page"] == expected


async def test_the_descriptions_name_it(resident: User) -> None:
    document = good(await resident.http.get("/openapi.json"))
    assert document["servers"] == [{"url": PUBLIC}]
    channels = good(await resident.http.get("/asyncapi.json"))
    assert channels["servers"] == {"public": {"host": "chat.example:8443", "protocol": "wss"}}
    assert channels["channels"]["serve_frontend"]["address"] == "/genai/frontend/ws"


@pytest.mark.parametrize(("origin", "status"), [(ORIGIN, 101), ("https://evil.example", 403)])
async def test_pages_from_there_get_a_socket(resident: User, origin: str, status: int) -> None:
    url = f"{resident.socket_url}?token={resident.token}"
    try:
        async with connect(url, additional_headers={"Origin": origin, "Host": "inside"}):
            found = 101
    except InvalidStatus as refused:
        found = refused.response.status_code
    assert found == status


async def test_no_path_is_answered_with_a_redirect_to_where_the_client_says(
    visitor: httpx2.AsyncClient,
) -> None:
    for path in ("/docs/static", "/docs/static/", "/api/chats/", "/nothing/"):
        answer = await visitor.get(path, headers={"Host": "evil.example"})
        assert "evil" not in answer.headers.get("location", "")
        assert answer.status_code in {401, 404}


@pytest.mark.parametrize(
    ("server", "prefix", "base"),
    [
        (("10.0.0.7", 8000), "", "http://10.0.0.7:8000"),
        (("fd00::7", 8000), "", "http://[fd00::7]:8000"),
        (("10.0.0.7", 8000), "/genai", "http://10.0.0.7:8000/genai"),
    ],
)
def test_a_whole_address_has_the_host_that_was_reached_and_not_the_one_that_was_asked_for(
    settings: Settings, server: tuple[str, int], prefix: str, base: str
) -> None:
    headers = [(b"host", b"evil.example"), (b"x-forwarded-prefix", prefix.encode())]
    scope = {"type": "http", "scheme": "http", "server": server, "headers": headers}
    connection = HTTPConnection(scope)
    assert whole_base_of(connection, attrs.evolve(settings, public_url=None)) == base
    assert whole_base_of(connection, attrs.evolve(settings, public_url=PUBLIC)) == PUBLIC
