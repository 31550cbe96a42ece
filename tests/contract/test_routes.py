"""Every route of the original is there, with and without a trailing slash."""

import re

import httpx2
import pytest

from tests.contract.binding import NOBODY
from tests.contract.cases import load
from tests.system import SERVICE_KEY
from tests.users import User

ROUTES = [
    (method.upper(), re.sub(r"\{\w+\}", NOBODY, path))
    for path, operations in load("openapi-original")["paths"].items()
    for method in operations
]
MISSING = {404, 405}

# What the master agent asks for as a service, with the statuses of the contract.
SERVICE_READS = [
    ("/api/chat", {"session_id": NOBODY}),
    ("/api/agents/active", {"agent_type": "all"}),
    ("/api/agents/active", {}),
    ("/files", {"session_id": NOBODY}),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_route_answers_directly_in_both_forms(
    visitor: httpx2.AsyncClient, method: str, path: str
) -> None:
    forms = [path.rstrip("/"), f"{path.rstrip('/')}/"]
    bare, slashed = [await visitor.request(method, form) for form in forms]
    assert bare.status_code not in MISSING
    assert not bare.is_redirect
    assert (slashed.status_code, slashed.content) == (bare.status_code, bare.content)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_preflight_of_a_route_needs_no_credentials(
    visitor: httpx2.AsyncClient, method: str, path: str
) -> None:
    headers = {
        "Origin": "http://localhost:3000",
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    answer = await visitor.options(path, headers=headers)
    assert answer.is_success
    assert answer.headers["access-control-allow-origin"] in {"*", headers["Origin"]}
    assert method in answer.headers["access-control-allow-methods"]


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(("path", "query"), SERVICE_READS)
async def test_the_master_agent_reads_as_a_service(
    visitor: httpx2.AsyncClient, member: User, path: str, query: dict[str, str], slash: str
) -> None:
    asked = {**query, "user_id": member.id}
    answer = await visitor.get(path + slash, params=asked, headers={"x-api-key": SERVICE_KEY})
    own = await member.http.get(path, params=query)
    assert (answer.status_code, answer.json()) == (200, own.json())
    for headers in ({}, {"x-api-key": "wrong"}):
        refused = await visitor.get(path, params=asked, headers=headers)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
