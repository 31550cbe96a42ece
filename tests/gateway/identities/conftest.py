"""A gateway of the shared system's that knows two providers: a real one and a scripted one."""

import json
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import httpx2
import pytest
from attrs import frozen
from playwright.async_api import Browser
from playwright.async_api import Page as Tab
from starlette.responses import PlainTextResponse

from devstack.processes import HOST, Child, free_port, start_child, stopping, wait_until_ready
from tests.chromium import run_chromium
from tests.gateway.identities.browsing import PAGE, Page
from tests.gateway.identities.scripted import AUDIENCE, CLIENT, SECRET, Claims, Scripted, make_key
from tests.gateway.outsiders import serving
from tests.system import System, read_status
from tests.users import connect_to

NODE = Path(sys.executable).with_name("node")
PROVIDER = Path(__file__).parents[2] / "node/oidc.mjs"
REAL_CLIENT = "genai"
REAL_SECRET = "nine hundred silver+spoons%20"
PROGRAM = "a-program"
PROGRAM_PAGE = "http://127.0.0.1:9/program"


@frozen
class Installation:
    """Where everything is."""

    gateway: str
    real: str
    log: Path
    page_port: int
    """Of a page on this machine that may sign people in."""


@pytest.fixture(scope="session")
async def scripted_provider(anyio_backend: str) -> AsyncIterator[Scripted]:
    async with serving(PlainTextResponse("not yet", 503)) as outsider:
        scripted = Scripted(outsider.url, make_key("first"))
        scripted.reset({})
        outsider.app = scripted.app
        yield scripted


@pytest.fixture(scope="session")
def installation(system: System, scripted_provider: Scripted) -> Iterator[Installation]:
    """A gateway, and the provider of npm; people who come back find the gateway itself."""
    port, real_port, page_port = (free_port() for _ in range(3))
    gateway, real = f"http://{HOST}:{port}", f"http://{HOST}:{real_port}"
    with (
        TemporaryDirectory() as folder,
        stopping(_start_provider(Path(folder), real_port, gateway)),
    ):
        child = system.start_gateway(
            "hasty_providers",
            port=str(port),
            PUBLIC_URL=gateway,
            SIGN_IN_PAGES=f"{PAGE},http://{HOST}:{page_port}/signed-in",
            BACKEND_CORS_ORIGINS=f"{PAGE.removesuffix('/signed-in')},http://{HOST}:{page_port}",
            OIDC_NPM_ISSUER=real,
            OIDC_NPM_TITLE="The provider of npm",
            OIDC_NPM_CLIENT_ID=REAL_CLIENT,
            OIDC_NPM_CLIENT_SECRET=REAL_SECRET,
            OIDC_NPM_SCOPES="openid profile email groups",
            OIDC_NPM_ADMIN_GROUP="admins",
            OIDC_NPM_BEARER="true",
            OIDC_NPM_AUDIENCE=AUDIENCE,
            OIDC_SCRIPTED_ISSUER=scripted_provider.url,
            OIDC_SCRIPTED_CLIENT_ID=CLIENT,
            OIDC_SCRIPTED_CLIENT_SECRET=SECRET,
            OIDC_SCRIPTED_BEARER="true",
            OIDC_SCRIPTED_AUDIENCE=AUDIENCE,
            OIDC_SCRIPTED_SCOPE_PREFIX="genai:",
            OIDC_SCRIPTED_UNSCOPED="agents",
        )
        system.gateways.pop()
        yield Installation(gateway, real, child.log, page_port)


def _start_provider(folder: Path, port: int, gateway: str) -> Child:
    at = f"{gateway}/api/login/oidc/npm"
    ours = {
        "client_id": REAL_CLIENT,
        "client_secret": REAL_SECRET,
        "redirect_uris": [f"{at}/callback"],
        "backchannel_logout_uri": f"{at}/backchannel-logout",
        "backchannel_logout_session_required": True,
        "post_logout_redirect_uris": [PAGE],
    }
    program = {
        "client_id": PROGRAM,
        "redirect_uris": [PROGRAM_PAGE],
        "token_endpoint_auth_method": "none",
    }
    given = {"port": port, "clients": [ours, program], "audience": AUDIENCE}
    command: list[str | Path] = [NODE, PROVIDER, json.dumps(given)]
    child = start_child("provider", command, folder / "provider.log", environment={})
    wait_until_ready(child, lambda: read_status(f"http://{HOST}:{port}/jwks") == 200)
    return child


@pytest.fixture
def person() -> Claims:
    """Somebody new."""
    id_ = uuid4().hex
    return {"sub": id_, "preferred_username": f"ada-{id_}", "sid": f"sid-{id_}"}


@pytest.fixture
def scripted(scripted_provider: Scripted, person: Claims) -> Scripted:
    """The scripted provider, good again, where this person is going to sign in."""
    scripted_provider.reset(person)
    return scripted_provider


@pytest.fixture
async def browser(installation: Installation) -> AsyncIterator[httpx2.AsyncClient]:
    async with connect_to(installation.gateway) as http:
        yield http


@pytest.fixture
def page(browser: httpx2.AsyncClient) -> Page:
    """A page that has people sign in at the scripted provider."""
    return Page(browser, "scripted")


@pytest.fixture(scope="session")
async def chromium(anyio_backend: str) -> AsyncIterator[Browser]:
    """The browser of a person."""
    async with run_chromium() as chromium:
        yield chromium


@pytest.fixture
async def tab(chromium: Browser) -> AsyncIterator[Tab]:
    """A page of the browser; Swagger UI takes its time on a busy machine."""
    async with await chromium.new_context() as context:
        context.set_default_timeout(60_000)
        yield await context.new_page()
