"""The description is valid and true; Swagger UI needs nobody else."""

import re
from typing import Any
from urllib.parse import urljoin

import httpx2
import pytest
from openapi_spec_validator import validate

from gateway.app import TITLE
from gateway.openapi.description import describe
from gateway.routes import operations
from gateway.web.auth import Access
from gateway.web.examples import MARK
from shared import VERSION

DOCUMENT = describe(operations, TITLE, VERSION)
DESCRIBED = [
    (method, path, described)
    for path, methods in DOCUMENT["paths"].items()
    for method, described in methods.items()
    if described["tags"] != ["health"]
]
# What is open and takes no body that could be missing.
PUBLIC = {
    "/a2a/jwks.json": 200,
    "/a2a/{alias}/.well-known/agent-card.json": 404,
    "/a2a/{alias}/.well-known/agent.json": 404,
    "/api/mcp/client": 400,  # there is no PUBLIC_URL
    "/api/login/providers": 200,
    "/api/login/oidc/{provider}/callback": 400,  # there is no provider
    "/api/login/oidc/{provider}/logout": 400,
}
EACH = pytest.mark.parametrize(
    ("method", "path", "described"),
    DESCRIBED,
    ids=[f"{method} {path}" for method, path, _ in DESCRIBED],
)


async def test_the_gateway_serves_the_description(visitor: httpx2.AsyncClient) -> None:
    assert (await visitor.get("/openapi.json")).json() == DOCUMENT


async def test_the_swagger_page_has_ids_of_its_own_for_each_reader(
    visitor: httpx2.AsyncClient,
) -> None:
    assert f'replaceAll("{MARK}", own)' in (await visitor.get("/docs")).text
    assert MARK in str(DOCUMENT)


def test_the_description_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    validate(DOCUMENT)


@pytest.mark.parametrize(
    ("path", "parameter", "pointer", "followed"),
    [
        (
            "/api/agents/register",
            "agent_id",
            "/id",
            {"read_agent", "update_agent", "delete_agent", "create_agent_token"},
        ),
        ("/api/chats", "session_id", "/session_id", {"read_history", "update_chat", "delete_chat"}),
        (
            "/api/llm/model/config",
            "model_config_id",
            "/0/configs/0/id",
            {"read_model_config", "update_model_config", "delete_model_config", "create_trial"},
        ),
        ("/api/llms/model/provider", "provider_name", "/provider", {"update_provider_llms"}),
    ],
)
def test_what_creates_something_links_to_what_takes_its_id(
    path: str, parameter: str, pointer: str, followed: set[str]
) -> None:
    links = DOCUMENT["paths"][path]["post"]["responses"]["200"]["links"].values()
    assert {link["operationId"] for link in links} == followed
    for link in links:
        assert link["parameters"] == {parameter: f"$response.body#{pointer}"}


def test_each_tag_is_described_by_a_sentence_and_each_operation_has_one_of_them() -> None:
    tags = {each["name"]: each["description"] for each in DOCUMENT["tags"]}
    assert len(tags) == len(DOCUMENT["tags"])
    assert [name for name, text in tags.items() if not text.endswith(".")] == []
    assert {tag for *_, described in DESCRIBED for tag in described["tags"]} == tags.keys() - {
        "health"
    }


@pytest.mark.parametrize(
    ("path", "name"), [("/api/chat", "session_id"), ("/api/chats/search", "query")]
)
def test_what_clients_choose_is_proposed_for_a_parameter_too(path: str, name: str) -> None:
    parameters = DOCUMENT["paths"][path]["get"]["parameters"]
    [proposed] = [each["example"] for each in parameters if each["name"] == name]
    assert name == "query" or proposed.startswith(MARK)


def test_swagger_logs_in_with_the_password_flow() -> None:
    flows = DOCUMENT["components"]["securitySchemes"]["user"]["flows"]
    assert flows["password"]["tokenUrl"] == "/api/login/access-token"


def test_no_schema_is_there_for_nothing() -> None:
    used = set(re.findall(r"'#/components/schemas/(\w+)'", str(DOCUMENT)))
    assert used == DOCUMENT["components"]["schemas"].keys()


def test_what_forbids_unknown_keys_says_so() -> None:
    schema = DOCUMENT["components"]["schemas"]["NewModelConfig"]
    assert schema.get("additionalProperties") is False


def test_every_parameter_of_a_path_is_described() -> None:
    for _, path, described in DESCRIBED:
        parameters = described.get("parameters", [])
        found = {one["name"] for one in parameters if one["in"] == "path"}
        assert found == set(re.findall(r"{(\w+)}", path))
        assert all(one["required"] for one in parameters if one["in"] == "path")


def test_every_parameter_says_what_it_means() -> None:
    parameters = [one for *_, described in DESCRIBED for one in described.get("parameters", [])]
    assert len(parameters) > 50
    assert all(one["description"].endswith(".") for one in parameters)


def test_no_parameter_may_be_null() -> None:
    parameters = [one for *_, described in DESCRIBED for one in described.get("parameters", [])]
    assert "null" not in str([one["schema"] for one in parameters])


@pytest.mark.parametrize(("status", "name"), [("401", "WWW-Authenticate"), ("503", "Retry-After")])
def test_a_refusal_tells_its_headers(status: str, name: str) -> None:
    found = [described["responses"].get(status) for *_, described in DESCRIBED]
    assert all(name in each["headers"] for each in found if each)


def test_a_time_is_described_by_its_form() -> None:
    schema = DOCUMENT["components"]["schemas"]["Chat"]["properties"]["created_at"]
    assert re.search(schema["pattern"], "2026-01-31T09:15:02.123456")
    assert not re.search(schema["pattern"], "2026-01-31T09:15:02.123456Z")


def test_what_an_answer_has_always_is_described_as_required() -> None:
    schema = DOCUMENT["components"]["schemas"]["TokenPair"]
    assert set(schema["required"]) == schema["properties"].keys() - {"expires_in"}


def test_a_range_of_a_file_tells_which_it_is() -> None:
    responses = DOCUMENT["paths"]["/files/{file_id}"]["get"]["responses"]
    assert {"ETag", "Content-Range"} <= responses["206"]["headers"].keys()
    assert {
        "200",
        "206",
        "304",
        "400",
        "401",
        "403",
        "416",
        "422",
        "429",
        "503",
    } == responses.keys()


def test_swagger_shows_a_picker_for_the_file_of_an_upload() -> None:
    described = DOCUMENT["paths"]["/files"]["post"]["requestBody"]["content"]
    name = described["multipart/form-data"]["schema"]["$ref"].rpartition("/")[2]
    file = DOCUMENT["components"]["schemas"][name]["properties"]["file"]
    # It looks for a plain string, no union, of this format or of this type.
    assert (file["type"], file["format"]) == ("string", "binary")
    assert file["contentMediaType"] == "application/octet-stream"


@pytest.mark.parametrize("name", ["request_id", "session_id"])
def test_swagger_fills_no_made_up_id_into_an_upload(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"]["NewFile"]["properties"][name]
    assert schema == {"type": "string", "format": "uuid", "examples": [""]}


@pytest.mark.parametrize("path", ["/health", "/ready"])
async def test_a_health_route_is_described(visitor: httpx2.AsyncClient, path: str) -> None:
    described = DOCUMENT["paths"][path]["get"]["responses"]
    answer = await visitor.get(path)
    assert str(answer.status_code) in described
    assert all(isinstance(value, str | bool | dict) for value in answer.json().values())


def test_an_id_is_described_as_a_uuid() -> None:
    [parameter] = DOCUMENT["paths"]["/api/agents/{agent_id}"]["delete"]["parameters"]
    assert (parameter["schema"]["type"], parameter["schema"]["format"]) == ("string", "uuid")


@EACH
async def test_what_needs_credentials_refuses_without_and_what_is_open_does_not(
    visitor: httpx2.AsyncClient, method: str, path: str, described: dict[str, Any]
) -> None:
    url = re.sub(r"{\w+}", "00000000-0000-4000-8000-000000000000", path)
    answer = await visitor.request(method.upper(), url)
    service = {"service": []} in described["security"]
    is_open = PUBLIC.get(path, 422 if "422" in described["responses"] else 404)
    expected = 400 if service else 401 if described["security"] else is_open
    assert answer.status_code == expected
    assert str(expected) in described["responses"]


@EACH
def test_the_security_of_a_route_is_that_of_its_access(
    method: str, path: str, described: dict[str, Any]
) -> None:
    [operation] = [one for one in operations if (one.method.lower(), one.path) == (method, path)]
    schemes = {
        Access.ANYONE: set(),
        Access.USER: {"user"},
        Access.ADMIN: {"user"},
        Access.USER_OR_AGENT: {"user", "agent"},
        Access.USER_OR_SERVICE: {"user", "service"},
        Access.USER_AGENT_OR_SERVICE: {"user", "agent", "service"},
    }
    keys = [one["key"] for one in described["security"] if "key" in one]
    assert keys == [[scope] for scope in operation.opened_by]
    named = {name for one in described["security"] for name in one}
    assert named - {"key"} == schemes[operation.access]


@pytest.mark.parametrize("page", ["/docs", "/docs/"])
async def test_what_the_swagger_page_loads_is_served_here(
    visitor: httpx2.AsyncClient, page: str
) -> None:
    html = (await visitor.get(page)).text
    links = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert len(links) >= 3
    for link in links:
        assert (await visitor.get(urljoin(page, link))).status_code == 200, link


async def test_the_swagger_page_finds_the_description(visitor: httpx2.AsyncClient) -> None:
    html = (await visitor.get("/docs")).text
    [url] = re.findall(r'\burl: "([^"]+)"', html)
    assert urljoin("/docs", url) == "/openapi.json"


async def test_the_swagger_page_names_no_other_host(visitor: httpx2.AsyncClient) -> None:
    answer = await visitor.get("/docs")
    assert answer.headers["content-type"].startswith("text/html")
    assert "://" not in answer.text
    assert not re.search(r'["\']//', answer.text)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("swagger-ui.css", "text/css"),
        ("swagger-ui-bundle.js", "text/javascript"),
        ("favicon-32x32.png", "image/png"),
        ("oauth2-redirect.html", "text/html"),
    ],
)
async def test_a_static_file_has_its_type(
    visitor: httpx2.AsyncClient, name: str, kind: str
) -> None:
    answer = await visitor.get(f"/docs/static/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == kind


@pytest.mark.parametrize(
    "path", ["../page.py", "..%2f__init__.py", "%2e%2e/__init__.py", "nothing"]
)
async def test_nothing_else_is_served_from_there(visitor: httpx2.AsyncClient, path: str) -> None:
    url = visitor.base_url.copy_with(raw_path=f"/docs/static/{path}".encode())
    assert (await visitor.get(url)).status_code == 404


async def test_the_root_leads_to_the_page(visitor: httpx2.AsyncClient) -> None:
    answer = await visitor.get("/")
    assert answer.status_code in {302, 303, 307, 308}
    assert urljoin(str(answer.url), answer.headers["location"]) == str(
        visitor.base_url.join("/docs")
    )
