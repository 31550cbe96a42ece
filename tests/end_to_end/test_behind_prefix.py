"""All of the gateway under a path of a real nginx or HAProxy, as browsers and programs see it."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest

from devstack.processes import HOST, wait_until_ready
from tests.end_to_end.nginx import run_nginx
from tests.end_to_end.proxy import run_proxy
from tests.gateway.shapes import good
from tests.master import run_master
from tests.system import Stores, System, read_status
from tests.users import User, register_user

PREFIX = "/genai"
FORGED = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/evil"}


@pytest.fixture(scope="module")
def own_system(stores: Stores) -> Iterator[System]:
    """A gateway that believes this machine, and a bridge."""
    with stores.system(TRUSTED_PROXIES=HOST) as system:
        system.start_router()
        system.start_gateway()
        system.start_bridge()
        yield system


@contextmanager
def run_haproxy(system: System) -> Iterator[str]:
    port = urlsplit(system.gateway).port
    assert port is not None
    with run_proxy(system.folder, port, [HOST], PATH_PREFIX=PREFIX) as proxy:
        wait_until_ready(proxy.child, lambda: read_status(f"{proxy.url}/health") == 200)
        yield proxy.url


@pytest.fixture(scope="module", params=["nginx", "HAProxy"])
def outside(request: pytest.FixtureRequest, own_system: System) -> Iterator[str]:
    """The URL of the proxy."""
    is_nginx = request.param == "nginx"
    running = (
        run_nginx(own_system.folder, own_system.gateway) if is_nginx else run_haproxy(own_system)
    )
    with running as url:
        yield url


@pytest.fixture
async def user(outside: str) -> AsyncIterator[User]:
    """Somebody who knows the path at the proxy only."""
    async with register_user(outside + PREFIX) as user:
        await user.create_config()
        yield user


async def test_a_chat_is_answered_and_its_pages_follow_each_other(
    own_system: System, user: User
) -> None:
    async with run_master(own_system.router_url), user.chat() as chat:
        await chat.ask("hello")
    query = {"session_id": chat.session_id, "per_page": "1"}
    history = good(await user.http.get("/api/chat", params=query, headers=FORGED))
    link = history["next_page"]
    assert link == f"{PREFIX}/api/chat?session_id={chat.session_id}&per_page=1&page=2"
    at_host = urljoin(str(user.http.base_url), link)
    following = good(await user.http.get(at_host))
    assert [item["content"] for item in following["items"]] == ["hello"]
    assert following["previous_page"] == link.replace("page=2", "page=1")


async def test_files_come_back(user: User) -> None:
    stored = await user.http.post("/files", files={"file": ("a.bin", b"x" * 2_000_000)})
    assert (await user.http.get(f"/files/{stored.json()['id']}")).content == b"x" * 2_000_000


@pytest.mark.parametrize("path", ["", "/", "/docs", "/docs/"])
async def test_swagger_finds_all_that_it_loads(user: User, path: str, outside: str) -> None:
    async with httpx2.AsyncClient(follow_redirects=True) as http:
        page = await http.get(outside + PREFIX + path)
        assert urlsplit(str(page.url)).path.rstrip("/") == f"{PREFIX}/docs"
        links = re.findall(r'(?:src|href|url:) ?=?"([^"]+)"', page.text)
        links += re.findall(r'new URL\("([^"]+)"', page.text)
        assert len(links) >= 5
        for link in links:
            url = urljoin(str(page.url), link)
            assert urlsplit(url).path.startswith(f"{PREFIX}/")
            assert (await http.get(url)).status_code == 200, link


async def test_what_swagger_calls_is_there(user: User) -> None:
    where = str(user.http.base_url.join(f"{PREFIX}/openapi.json"))
    document = good(await user.http.get(where))
    [server] = document["servers"]
    tried = f"{urljoin(where, server['url'])}/api/chats"
    assert good(await user.http.get(tried)) == {"chats": []}
    token_url = document["components"]["securitySchemes"]["user"]["flows"]["password"]["tokenUrl"]
    form = {"username": user.name, "password": "wrong"}
    assert (await user.http.post(urljoin(tried, token_url), data=form)).status_code == 400
    page, link = re.findall(r"\]\((\S+)\)", document["info"]["description"])
    shown = await user.http.get(urljoin(where, page))
    assert f"<code>{PREFIX}/frontend/ws</code>" in shown.text
    assert f'href="{PREFIX}/asyncapi.json"' in shown.text
    channels = good(await user.http.get(urljoin(where, link)))
    assert channels["channels"]["serve_frontend"]["address"] == f"{PREFIX}/frontend/ws"
    [back] = re.findall(r"\]\((\S+)\)", channels["info"]["description"])
    assert urljoin(where, back) == where


async def test_nobody_but_the_proxy_says_where_it_is(outside: str) -> None:
    async with httpx2.AsyncClient(base_url=outside + PREFIX) as http:
        for path in ("/openapi.json", "/", "/docs", "/asyncapi", "/asyncapi.json"):
            answer = await http.get(path, headers=FORGED)
            assert "evil" not in answer.text + answer.headers.get("location", "")


async def test_the_console_loads_from_there(outside: str) -> None:
    async with httpx2.AsyncClient(base_url=outside) as http:
        page = await http.get(f"{PREFIX}/console", headers=FORGED)
        loaded = re.findall(r"(?:src|href)=\"([^\"]+)", page.text)
        assert len(loaded) > 10
        assert all(path.startswith(f"{PREFIX}/console/") for path in loaded)
        assert [(await http.get(path)).status_code for path in loaded] == [200] * len(loaded)
