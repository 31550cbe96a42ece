"""What is found out about authorization servers, also odd ones, and who is asked for it."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from attrs import define, field
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.grants.discovery import SCOPE_LIMIT, discover
from gateway.grants.flows import begin
from gateway.grants.kept import Begun, GivenClient, Ourselves
from gateway.remote import outbound
from gateway.remote.errors import UnreachableError
from gateway.remote.outbound import Outbound
from tests.gateway.outsiders import serving

OUT = Outbound(5.0, allow_private=True)
BASE = "https://chat.example.com"
OURSELVES = Ourselves(f"{BASE}/api/mcp/authorized", f"{BASE}/api/mcp/client")
PROTECTED = "/.well-known/oauth-protected-resource"
SERVER = "/.well-known/oauth-authorization-server"
BASIC = "client_secret_basic"


@define
class Scripted:
    """Answers each path as a test says; `{url}` stands for where it is."""

    answers: Mapping[str, Any]
    challenge: str = 'Bearer resource_metadata="{url}/about"'
    url: str = ""
    asked: list[str] = field(factory=list)
    registered: list[Any] = field(factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        request = Request(scope, receive)
        path = request.url.path
        self.asked.append(path)
        if path == "/mcp":
            headers = {"WWW-Authenticate": self.challenge.replace("{url}", self.url)}
            answer = Response(status_code=401, headers=headers)
        elif path in self.answers:
            if path == "/register":
                self.registered.append(await request.json())
            text = json.dumps(self.answers[path]).replace("{url}", self.url)
            answer = Response(text, media_type="application/json")
        else:
            answer = Response(status_code=404)
        await answer(scope, receive, send)


def protected(**others: Any) -> dict[str, Any]:
    return {"resource": "{url}/mcp", "authorization_servers": ["{url}"], **others}


def server(**others: Any) -> dict[str, Any]:
    return {
        "issuer": "{url}",
        "authorization_endpoint": "{url}/login?tenant=1",
        "token_endpoint": "{url}/token",
        "registration_endpoint": "{url}/register",
        "code_challenge_methods_supported": ["S256"],
        **others,
    }


CLIENT = {"client_id": "c"}
GOOD = {"/about": protected(), SERVER: server(), "/register": CLIENT}


async def start(
    answers: Mapping[str, Any], given: GivenClient | None = None, **others: Any
) -> tuple[Begun, Scripted]:
    scripted = Scripted(answers, **others)
    async with serving(scripted) as outsider:
        scripted.url = outsider.url
        return await begin(OUT, f"{outsider.url}/mcp", OURSELVES, given), scripted


async def failure(answers: Mapping[str, Any], **others: Any) -> str:
    with pytest.raises(UnreachableError) as caught:
        await start(answers, **others)
    return caught.value.sentence


def query_of(begun: Begun) -> dict[str, str]:
    query = parse_qs(urlsplit(begun.authorization_url).query)
    return {name: value for name, [value] in query.items()}


async def test_what_the_endpoint_has_in_its_url_stays() -> None:
    begun, _ = await start(GOOD)
    assert query_of(begun)["tenant"] == "1"


async def test_the_server_s_own_word_says_where_it_is_described() -> None:
    _, scripted = await start(GOOD)
    assert scripted.asked == ["/mcp", "/about", SERVER, "/register"]


async def test_without_a_word_it_is_looked_for_where_it_usually_is() -> None:
    answers = {f"{PROTECTED}/mcp": protected(), SERVER: server(), "/register": CLIENT}
    begun, scripted = await start(answers, challenge="Bearer")
    assert scripted.asked == ["/mcp", f"{PROTECTED}/mcp", SERVER, "/register"]
    assert query_of(begun)["resource"] == f"{scripted.url}/mcp"


async def test_a_server_of_the_first_specification_is_its_own_authorization_server() -> None:
    begun, scripted = await start({SERVER: server(), "/register": CLIENT})
    assert "resource" not in query_of(begun)
    begun, scripted = await start({"/register": CLIENT})
    assert begun.authorization_url.startswith(f"{scripted.url}/authorize?")
    assert begun.flow.grant.token_endpoint == f"{scripted.url}/token"


@pytest.mark.parametrize(
    ("challenge", "about", "scope"),
    [
        ('Bearer scope="a b", resource_metadata="{url}/about"', {"scopes_supported": ["c"]}, "a b"),
        ('Bearer resource_metadata="{url}/about"', {"scopes_supported": ["c", "d"]}, "c d"),
        ('Bearer resource_metadata="{url}/about"', {}, None),
    ],
)
async def test_the_scope_is_the_one_that_is_wanted(
    challenge: str, about: dict[str, Any], scope: str | None
) -> None:
    begun, scripted = await start({**GOOD, "/about": protected(**about)}, challenge=challenge)
    assert query_of(begun).get("scope") == scope
    assert scripted.registered[0].get("scope") == scope


async def test_who_can_be_used_offline_asks_for_consent() -> None:
    offline = server(scopes_supported=["a", "offline_access"])
    begun, _ = await start({**GOOD, "/about": protected(scopes_supported=["a"]), SERVER: offline})
    asked = query_of(begun)
    assert (asked["scope"], asked["prompt"]) == ("a offline_access", "consent")


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"/about": protected(resource="{url}/other")}, "is not the one that it should be"),
        ({"/about": protected(resource="https://bank.example/")}, "is not the one that it should"),
        ({SERVER: server(issuer="https://evil.example")}, "is not the one that it should be"),
        ({SERVER: server(code_challenge_methods_supported=["plain"])}, "(PKCE by S256)"),
        ({SERVER: server(code_challenge_methods_supported=None)}, "(PKCE by S256)"),
        ({SERVER: {"issuer": "{url}"}}, "does not say how to log in there"),
        ({SERVER: []}, "does not say how to log in there"),
        ({SERVER: server(authorization_endpoint="javascript:alert(1)")}, "does not say how to log"),
        ({"/register": {}}, "registers no client"),
        ({"/register": [1]}, "registers no client"),
        ({"/register": {"client_id": "c", "token_endpoint_auth_method": "odd"}}, "registers no"),
        ({"/about": protected(scopes_supported=["s" * SCOPE_LIMIT, "t"])}, "scope that is too"),
        ({"/about": protected(authorization_servers=["http://nobody.invalid"])}, "can't be found"),
    ],
)
async def test_what_is_wrong_is_a_sentence(answers: dict[str, Any], sentence: str) -> None:
    assert sentence in await failure({**GOOD, **answers})


async def test_what_is_read_of_an_authorization_server_is_bounded() -> None:
    huge = server(op_policy_uri="https://x.example/" + "x" * outbound.VISIT_BYTES)
    assert "answers more than" in await failure({**GOOD, SERVER: huge})


async def test_no_authorization_server_inside_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A public server names one that is not."""

    async def resolve(host: str, _port: int) -> list[str]:
        return ["127.0.0.1"] if host == "public.example" else ["127.0.0.2"]

    monkeypatch.setattr(outbound, "is_public", lambda address: str(address) == "127.0.0.1")
    out = Outbound(5.0, allow_private=False, resolve=resolve)
    for answers in ({}, {"/about": protected(authorization_servers=["{inside}"])}):
        inside_app, public_app = Scripted(GOOD), Scripted(GOOD)
        async with serving(inside_app) as inside, serving(public_app) as public:
            public_app.url = f"http://public.example:{urlsplit(public.url).port}"
            public_app.answers = json.loads(
                json.dumps({**GOOD, **answers}).replace("{inside}", inside.url)
            )
            if not answers:
                public_app.challenge = f'Bearer resource_metadata="{inside.url}/about"'
            with pytest.raises(UnreachableError, match="not on the public internet"):
                await begin(out, f"{public_app.url}/mcp", OURSELVES, None)
        assert public_app.asked != []
        assert inside_app.asked == []


async def test_a_client_of_the_user_s_is_shown_to_its_own_server_alone() -> None:
    known = GivenClient("mine", "secret")
    begun, scripted = await start(GOOD, known)
    assert (query_of(begun)["client_id"], scripted.registered) == ("mine", [])
    assert begun.flow.grant.is_given
    other = GivenClient("mine", "secret", "https://other.example")
    begun, scripted = await start(GOOD, other)
    assert query_of(begun)["client_id"] == "c"
    assert not begun.flow.grant.is_given


async def test_a_server_that_reads_documents_registers_nobody() -> None:
    reads = server(client_id_metadata_document_supported=True)
    begun, scripted = await start({**GOOD, SERVER: reads})
    assert query_of(begun)["client_id"] == OURSELVES.document_url
    assert scripted.registered == []


@pytest.mark.parametrize(
    ("offered", "method"),
    [
        (["client_secret_post", "client_secret_basic"], "client_secret_basic"),
        (["client_secret_post"], "client_secret_post"),
        (["none"], "none"),
        (["private_key_jwt"], None),
        (None, None),
    ],
)
async def test_a_client_shows_its_secret_as_the_server_wants(
    offered: list[str] | None, method: str | None
) -> None:
    wants = server(token_endpoint_auth_methods_supported=offered)
    _, scripted = await start({**GOOD, SERVER: wants})
    assert scripted.registered[0].get("token_endpoint_auth_method") == method


async def test_a_client_that_has_a_secret_shows_it_whatever_its_registration_leaves_out() -> None:
    for offered, method in ((["client_secret_post"], "client_secret_post"), (None, BASIC)):
        wants = server(token_endpoint_auth_methods_supported=offered)
        registered = {**CLIENT, "client_secret": "s"}
        begun, _ = await start({**GOOD, SERVER: wants, "/register": registered})
        assert begun.flow.grant.client["token_endpoint_auth_method"] == method


@pytest.mark.parametrize("url", ["http://h/about", "http://h"])
async def test_what_an_https_server_says_of_its_log_in_is_read_by_https_alone(url: str) -> None:
    about = {"resource": "https://h/mcp", "authorization_servers": [url]}
    challenge = 'Bearer resource_metadata="http://h/about"' if url.endswith("about") else "Bearer"
    asked = []

    async def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        if request.method == "POST":
            return httpx2.Response(401, headers={"WWW-Authenticate": challenge})
        return httpx2.Response(200, json=about)

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as http:
        with pytest.raises(UnreachableError, match="not described over HTTPS"):
            await discover(http, "https://h/mcp")
    assert all(one.startswith("https:") for one in asked)


async def test_a_registration_that_is_no_good_is_not_repeated() -> None:
    assert "s3cret" not in await failure({**GOOD, "/register": {"client_id": ["s3cret"]}})


def test_nothing_secret_is_in_what_is_printed() -> None:
    assert "s3cret" not in repr(GivenClient("c", "s3cret"))
