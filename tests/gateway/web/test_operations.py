"""What every line of the route table must have."""

import inspect
import re
from collections import Counter
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import attrs
import pytest
from starlette.responses import Response

from gateway.agents.schemas import Agent
from gateway.app import TITLE
from gateway.openapi.description import describe
from gateway.openapi.schemas import _classes
from gateway.routes import operations, sockets
from gateway.streams.plain import Awaited
from gateway.web.auth import Access
from gateway.web.inputs import Nothing
from gateway.web.operation import Operation
from gateway.web.paging import Page
from shared import VERSION

DOCUMENT = describe(operations, TITLE, VERSION)
EACH = pytest.mark.parametrize(
    "operation", operations, ids=[f"{each.method} {each.path}" for each in operations]
)


def described(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][operation.path][operation.method.lower()]
    return found


def test_no_two_lines_are_of_one_method_and_path() -> None:
    lines = Counter((operation.method, operation.path) for operation in operations)
    assert max(lines.values()) == 1


def test_every_line_has_an_id_of_its_own() -> None:
    ids = [described(operation)["operationId"] for operation in operations]
    assert len(set(ids)) == len(operations)


def test_an_id_is_that_of_the_handler_and_only_old_places_have_another() -> None:
    for operation in operations:
        is_old = described(operation).get("deprecated", False)
        assert is_old == (described(operation)["operationId"] != operation.name)


def test_what_has_a_newer_place_is_deprecated() -> None:
    old = {each.path for each in operations if described(each).get("deprecated")}
    assert old == {
        "/api/llm/model_config",
        "/a2a/{alias}/.well-known/agent.json",
        "/.well-known/oauth-protected-resource",
        *(each.path for each in operations if each.path.startswith("/api/llms/")),
    }


def test_a_fixed_path_comes_before_one_with_a_parameter_that_would_take_it() -> None:
    for position, operation in enumerate(operations):
        pattern = re.compile(re.sub(r"{\w+}", "[^/]+", operation.path))
        for later in operations[position + 1 :]:
            taken = later.method == operation.method and pattern.fullmatch(later.path)
            assert not taken or "{" in later.path, (operation.path, later.path)


@EACH
def test_a_path_is_under_the_prefix_without_a_last_slash(operation: Operation) -> None:
    _, resource, _ = operation.handler.__module__.split(".")
    prefixes = {
        "files": ("/files", "/user/files"),
        "completions": ("/v1/",),
        "agui": ("/ag-ui",),
        "mcpserver": ("/mcp", "/.well-known/oauth-protected-resource"),
        "published": ("/a2a/", "/api/publications"),
    }
    assert operation.path.startswith(prefixes.get(resource, ("/api/",)))
    assert not operation.path.endswith("/")


@EACH
def test_a_handler_is_a_coroutine_named_for_what_it_does(operation: Operation) -> None:
    verbs = {"GET": "list|read", "POST": "create|read|log", "PATCH": "update", "DELETE": "delete"}
    assert inspect.iscoroutinefunction(operation.handler)
    assert re.match(f"({verbs[operation.method]})_", operation.name)


@EACH
def test_a_line_has_a_summary_of_one_sentence(operation: Operation) -> None:
    summary = described(operation)["summary"]
    assert summary.endswith(".")
    assert len(summary) <= 90


@EACH
def test_a_line_has_the_tag_of_its_folder(operation: Operation) -> None:
    assert described(operation)["tags"] == [operation.handler.__module__.split(".")[1]]


@EACH
def test_a_line_gives_what_its_handler_returns(operation: Operation) -> None:
    returned = get_type_hints(operation.handler)["return"]
    if get_origin(returned) is Page:
        assert get_args(_listed(operation.result)) == get_args(returned)
    elif returned is Response:  # which it has made itself: of several kinds, or of a stream
        assert operation.result is Response or operation.further_results
    elif returned is Awaited:  # which makes it while its client waits
        assert attrs.has(operation.result)
    else:
        assert returned == (NoneType if operation.result is None else operation.result)


def _listed(result: Any) -> Any:
    """The list that it is, or that its last field is: there a page is put."""
    return get_type_hints(result)[attrs.fields(result)[-1].name] if attrs.has(result) else result


@EACH
def test_a_line_whose_list_has_an_offset_gives_pages_and_documents_where_they_go_on(
    operation: Operation,
) -> None:
    is_paged = get_origin(get_type_hints(operation.handler)["return"]) is Page
    documented = described(operation)["responses"][str(operation.status)].get("headers", {})
    assert (
        is_paged == ("offset" in attrs.fields_dict(operation.parameters)) == ("Link" in documented)
    )


@EACH
def test_a_line_that_gives_a_list_gives_pages(operation: Operation) -> None:
    is_list = operation.method == "GET" and get_origin(operation.result) is list
    assert not is_list or operation.is_paged


def test_what_clients_are_told_are_classes_without_slots() -> None:
    told = [*(each.result for each in operations), *(each for one in sockets for each in one.gives)]
    classes = set(_classes(told))
    assert Agent in classes
    assert not [each for each in classes if any("__slots__" in vars(base) for base in each.__mro__)]


@EACH
def test_what_a_line_takes_are_frozen_classes_with_a_docstring(operation: Operation) -> None:
    for taken in (operation.body, operation.parameters):
        assert attrs.has(taken)
        assert inspect.getdoc(taken)
        instance = taken.__new__(taken)
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            instance.anything = 1  # type: ignore[attr-defined]


@EACH
def test_a_line_that_is_not_open_documents_401(operation: Operation) -> None:
    documented = "401" in described(operation)["responses"]
    assert documented == (operation.access is not Access.ANYONE)


@EACH
def test_a_line_that_takes_something_documents_422_or_what_its_form_has_instead(
    operation: Operation,
) -> None:
    takes = operation.body is not Nothing or operation.parameters is not Nothing
    malformed = "422" if operation.refusal.malformed is None else "400"
    assert not takes or malformed in described(operation)["responses"]


@EACH
def test_a_line_with_a_body_documents_413(operation: Operation) -> None:
    documented = "413" in described(operation)["responses"]
    assert documented == (operation.body is not Nothing)


@EACH
def test_a_line_documents_its_answer_and_that_it_may_be_away(operation: Operation) -> None:
    responses = described(operation)["responses"]
    assert str(operation.status) in responses
    assert "503" in responses


@EACH
def test_only_what_creates_or_changes_has_a_body(operation: Operation) -> None:
    assert operation.method in {"POST", "PATCH"} or operation.body is Nothing


def test_only_what_leads_to_a_token_and_what_is_published_is_open() -> None:
    found = {operation.path for operation in operations if operation.access is Access.ANYONE}
    assert found == {
        "/api/register",
        "/api/login/access-token",
        "/api/validate-token",
        "/api/login/providers",
        "/api/login/oidc/token",
        "/api/login/oidc/{provider}",
        "/api/login/oidc/{provider}/callback",
        "/api/login/oidc/{provider}/logout",
        "/api/login/oidc/{provider}/backchannel-logout",
        "/api/password-reset",
        "/api/password-reset/mail",
        "/api/email-verification",
        "/api/email-verification/oidc",
        "/a2a/jwks.json",
        "/a2a/{alias}/.well-known/agent-card.json",
        "/a2a/{alias}/.well-known/agent.json",
        "/api/mcp/authorized",
        "/api/mcp/client",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
    }


def test_there_is_one_socket() -> None:
    assert [socket.path for socket in sockets] == ["/frontend/ws"]
