"""What holds on every path: slashes, CORS, lengths, sizes, and how it fails."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import httpx2
import psycopg
import pytest

from devstack.postgres import PostgresServer
from devstack.processes import HOST, free_port
from gateway.web.inputs import MAX_BODY_BYTES
from tests.gateway.shapes import good
from tests.shared.line import Line, run_line
from tests.system import Stores, System
from tests.users import User, eventually, register_user

ORIGIN = "http://localhost:3000"
SESSION = "0b0e7c52-6a2f-4d0e-8f6c-3d9a6c1b2e4f"
READABLE = [
    "/api/agents",
    "/api/agents/active",
    "/api/chats",
    f"/api/chat?session_id={SESSION}",
    f"/api/logs/list?session_id={SESSION}",
    "/api/llm/model/configs",
    "/api/llm/model/prompt",
    "/api/llms/model/configs",
    f"/files?session_id={SESSION}",
    "/user/files/metadata",
]
STEADY = ["/health", "/openapi.json", "/docs"]
OPEN = [*STEADY, "/ready"]  # which tells times


def slashed(path: str) -> str:
    before, mark, query = path.partition("?")
    return f"{before}/{mark}{query}"


@pytest.mark.parametrize("path", [*READABLE, *STEADY])
async def test_a_trailing_slash_changes_nothing(reader: User, path: str) -> None:
    plain, with_slash = await reader.http.get(path), await reader.http.get(slashed(path))
    assert (with_slash.status_code, with_slash.content) == (200, plain.content)


@pytest.mark.parametrize(
    "path",
    ["register", "login/access-token", "validate-token", "chats", "agents/register"]
    + [f"{llm}/model/{kind}" for llm in ("llm", "llms") for kind in ("provider", "config")],
)
async def test_a_body_may_be_posted_to_a_path_with_a_slash(reader: User, path: str) -> None:
    assert (await reader.http.post(f"/api/{path}/", json={})).status_code == 422


@pytest.mark.parametrize("path", [*READABLE, *OPEN])
async def test_every_answer_has_its_length(reader: User, path: str) -> None:
    answer = await reader.http.get(path)
    assert int(answer.headers["content-length"]) == len(answer.content) > 0


@pytest.mark.parametrize("path", READABLE)
async def test_every_answer_is_json(reader: User, path: str) -> None:
    assert (await reader.http.get(path)).headers["content-type"] == "application/json"


ERRORS = {
    400: ("GET", "/api/logs/list"),
    401: ("GET", "/api/agents"),
    404: ("GET", "/api/nothing"),
    405: ("PUT", "/api/chats"),
    422: ("GET", "/api/chats?limit=x"),
}


@pytest.mark.parametrize("status", ERRORS)
async def test_an_error_has_cors_headers_a_length_and_json(
    reader: User, visitor: httpx2.AsyncClient, status: int
) -> None:
    method, path = ERRORS[status]
    http = visitor if status == 401 else reader.http
    answer = await http.request(method, path, headers={"Origin": ORIGIN})
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] in {"*", ORIGIN}
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.json().keys() == {"detail"}


async def test_a_page_of_another_origin_may_read_where_a_list_goes_on(reader: User) -> None:
    answer = await reader.http.get("/api/llm/model/configs", headers={"Origin": ORIGIN})
    shown = answer.headers["access-control-expose-headers"].split(", ")
    assert shown == ["Link", "Retry-After", "Mcp-Session-Id", "WWW-Authenticate"]


@pytest.mark.parametrize(
    "path", ["/api/chats", "/api/nothing", "/nothing", "/", "/files", *READABLE]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
async def test_a_preflight_is_answered_on_any_path_without_credentials(
    visitor: httpx2.AsyncClient, path: str, method: str
) -> None:
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    answer = await visitor.options(path, headers=headers)
    assert answer.status_code in {200, 204}
    assert answer.headers["access-control-allow-origin"] in {"*", ORIGIN}
    assert method in answer.headers["access-control-allow-methods"]
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert "authorization" in allowed
    assert "content-type" in allowed


async def test_a_good_answer_has_cors_headers(reader: User) -> None:
    answer = await reader.http.get("/api/chats", headers={"Origin": ORIGIN})
    assert answer.headers["access-control-allow-origin"] in {"*", ORIGIN}


@pytest.mark.parametrize("path", ["register", "login/access-token", "validate-token", "chats"])
@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "chunked"])
async def test_a_body_that_is_too_large_is_413(reader: User, path: str, *, chunked: bool) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 65536 + 1):
            yield b"x" * 65536

    content = chunks() if chunked else b"x" * (MAX_BODY_BYTES + 1)
    form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": ORIGIN}
    answer = await reader.http.post(f"/api/{path}", content=content, headers=form)
    assert answer.status_code == 413, answer.text
    assert answer.headers["access-control-allow-origin"] in {"*", ORIGIN}
    assert isinstance(answer.json()["detail"], str)


async def test_a_large_body_below_the_limit_is_read(reader: User) -> None:
    content = b'{"title": "t", "session_id": "x"' + b" " * (MAX_BODY_BYTES - 1000) + b"}"
    assert (await reader.http.post("/api/chats", content=content)).status_code == 422


async def test_all_faults_of_parameters_come_at_once(reader: User) -> None:
    answer = await reader.http.get("/api/chat?session_id=x&page=0&per_page=y")
    places = [fault["loc"] for fault in answer.json()["detail"]]
    assert places == [["query", "session_id"], ["query", "page"], ["query", "per_page"]]


@pytest.fixture(scope="module")
def own_system(stores: Stores) -> Iterator[System]:
    """A system of this module's own, nothing started, with its database to break."""
    with stores.system() as system:
        yield system


@pytest.fixture(scope="module")
async def line(postgres: PostgresServer) -> AsyncIterator[Line]:
    async with run_line(postgres.port) as line:
        yield line


@pytest.fixture(scope="module")
async def far_user(own_system: System, line: Line) -> AsyncIterator[User]:
    """A user of a gateway whose PostgreSQL is at the other end of a line."""
    port = free_port()
    # Not by `start_gateway`: it would wait on the loop that has to pass its bytes on.
    variables = {"GATEWAY_PORT": str(port), "POSTGRES_PORT": str(line.port)}
    own_system.start("gateway 1", "gateway", variables)
    own_system.gateways.append(f"http://{HOST}:{port}")

    async def ready() -> bool:
        async with httpx2.AsyncClient(base_url=own_system.gateway) as http:
            try:
                return (await http.get("/ready")).status_code == 200
            except httpx2.ConnectError:
                return False

    await eventually(ready, "the gateway is ready", 30)
    async with register_user(own_system.gateway) as user:
        yield user


async def test_without_postgresql_it_is_503_and_then_well_again(far_user: User, line: Line) -> None:
    await line.cut()
    answer = await far_user.http.get("/api/chats", headers={"Origin": ORIGIN})
    ready = await far_user.http.get("/ready")
    alive = await far_user.http.get("/health")
    await line.mend()
    assert (answer.status_code, ready.status_code, alive.status_code) == (503, 503, 200)
    assert isinstance(answer.json()["detail"], str)
    assert answer.headers["access-control-allow-origin"] in {"*", ORIGIN}
    missing = [name for name in ("postgresql", "redis", "files") if not ready.json()[name]["is_up"]]
    assert missing == ["postgresql"]

    async def well() -> bool:
        return (await far_user.http.get("/api/chats")).status_code == 200

    await eventually(well, "PostgreSQL is back")


async def test_a_500_has_cors_headers_and_one_sentence(far_user: User, own_system: System) -> None:
    with psycopg.connect(own_system.settings.database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE logs RENAME TO broken")
        path = f"/api/logs/list?session_id={uuid4()}"
        answer = await far_user.http.get(path, headers={"Origin": ORIGIN})
        connection.execute("ALTER TABLE broken RENAME TO logs")
    assert answer.status_code == 500
    assert answer.headers["access-control-allow-origin"] in {"*", ORIGIN}
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.json() == {"detail": "Internal Server Error"}
    good(await far_user.http.get(path))
