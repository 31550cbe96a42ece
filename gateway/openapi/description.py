"""OpenAPI 3.1 from the operations: the classes that parse are the ones that are described."""

import inspect
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import attrs
from attrs import frozen
from starlette.responses import Response

from gateway.openapi.schemas import EXAMPLE, Json, Schemas, make_schemas, without_null
from gateway.openapi.signing_in import at_base
from gateway.web.auth import Access
from gateway.web.errors import ApiError, Form
from gateway.web.examples import SESSION_ID
from gateway.web.inputs import Nothing
from gateway.web.operation import Operation

ABOUT = """\
The sockets of front-ends are described [on a page of their own]({base}/asyncapi), and for programs
at [/asyncapi.json]({base}/asyncapi.json).

- Every path is answered with and without a last slash. An unknown one is answered with 404, a
  wrong method with 405, and what nobody foresaw with 500, each with one sentence as `detail`.
- A wrong value of a field is told by 400 and one sentence. A malformed request (a field missing, an
  unknown one, a bad id or query, no JSON) is told by 422 and all its faults, and so is a password
  that is too weak.
- Unknown keys of a body are ignored unless its schema forbids them. Where a number is wanted, a
  number as a text is taken. No text may hold a NUL character or half a surrogate pair, no number
  may need more than 64 bits.
- An object of another user is answered like one that does not exist.
- `HEAD` is answered wherever `GET` is.
"""


@frozen
class InputFault:
    """One thing that is wrong with the request; `loc` leads to it."""

    type: str
    loc: list[str | int]
    msg: str
    input: Any = None


@frozen
class InputFaults:
    """Everything that is wrong with the request."""

    detail: list[InputFault]


SECURITY: dict[Access, list[Json]] = {
    Access.ANYONE: [],
    Access.USER: [{"user": []}],
    Access.ADMIN: [{"user": []}],
    Access.USER_OR_AGENT: [{"user": []}, {"agent": []}],
    Access.USER_OR_SERVICE: [{"user": []}, {"service": []}],
    Access.USER_AGENT_OR_SERVICE: [{"user": []}, {"agent": []}, {"service": []}],
}

SECURITY_SCHEMES: Json = {
    "user": {
        "type": "oauth2",
        "description": "A user's token; it dies after six hours.",
        "flows": {"password": {"tokenUrl": "/api/login/access-token", "scopes": {}}},
    },
    "key": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "genai_…",
        "description": "An API key of the user's, with one of the scopes that are named.",
    },
    "agent": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An agent's token: it acts for the agent's creator.",
    },
    "service": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "SERVICE_API_KEY, together with the query parameter `user_id`.",
    },
}


HEADERS: Json = {
    "WWW-Authenticate": {"schema": {"type": "string"}, "description": "What is wanted instead."},
    "Allow": {"schema": {"type": "string"}, "description": "Which methods there are."},
    "Retry-After": {"schema": {"type": "string"}, "description": "Seconds to wait at least."},
    "X-Should-Retry": {
        "schema": {"type": "string"},
        "description": "`false`: the work was done, and would be done again.",
    },
    "Link": {
        "schema": {"type": "string"},
        "description": 'Where the list goes on, as `rel="next"` (RFC 8288); none at its end.',
    },
}
USER_ID: Json = {
    "name": "user_id",
    "in": "query",
    "description": "In whose name a service calls; nobody else may say it.",
    "required": False,
    "schema": {"type": "string", "format": "uuid"},
}
# What is proposed for parameters, where clients choose it: what the bodies of examples have too.
PROPOSED = {"session_id": SESSION_ID, "query": "times"}
FORMS = {"form", "multipart"}
MEDIA = {
    "json": ["application/json"],
    "form": ["application/x-www-form-urlencoded", "multipart/form-data"],
    "multipart": ["multipart/form-data"],
    "raw": ["application/json"],
}
HEALTH: Json = {
    "/health": ("Ask whether the process answers.", {"200": "It does"}),
    "/ready": (
        "Ask whether what the process needs is there, each by its name.",
        {
            "200": "It can work",
            "503": "Something that it can't do without is away, or it is going down",
        },
    ),
}


def describe(operations: Sequence[Operation], title: str, version: str) -> Json:
    """The whole document, ready to be sent as JSON."""
    taken = (type_ for each in operations for type_ in (each.body, each.parameters))
    given = (
        type_ for each in operations for type_ in (each.result, *each.further_results.values())
    )
    refusals = dict.fromkeys(each.refusal for each in operations)
    schemas = make_schemas(_real(taken), [*_real(given), *refusals, InputFaults])
    paths: dict[str, Json] = {}
    for operation in operations:
        described = _describe_one(operation, schemas)
        if links := _links(operation, operations):
            described["responses"][str(operation.status)]["links"] = links
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    expanded = {operation.parameters.__name__ for operation in operations}
    bodies = {name: one for name, one in schemas.components.items() if name not in expanded}
    for form in (each.body.__name__ for each in operations if each.body_format in FORMS):
        _describe_form(bodies[form]["properties"])
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": ABOUT.format(base="")},
        "tags": _tags(operations),
        "paths": {**paths, **_describe_health()},
        "components": {"schemas": bodies, "securitySchemes": SECURITY_SCHEMES},
    }


def describe_at(document: Json, base: str) -> Json:
    """The document for clients who find its paths after this base; the same where it is empty."""
    if not base:
        return document
    components = document["components"]
    schemes = at_base(components["securitySchemes"], base)
    return {
        **document,
        "info": {**document["info"], "description": ABOUT.format(base=base)},
        "servers": [{"url": base}],
        "components": {**components, "securitySchemes": schemes},
    }


def _describe_form(fields: Json) -> None:
    for name, field in fields.items():
        if "anyOf" in field:  # Swagger UI would fill in and send an id that nobody has
            fields[name] = {**without_null(field), "examples": [""]}


def _real(types: Iterable[Any]) -> list[Any]:
    return [type_ for type_ in types if type_ not in {Nothing, None, Response}]


def _resource(operation: Operation) -> str:
    """The package of its handler."""
    return operation.handler.__module__.split(".")[1]


def _tags(operations: Sequence[Operation]) -> list[Json]:
    """One for each resource, described by the module of its routes."""
    described = [
        {"name": name, "description": inspect.getdoc(sys.modules[f"gateway.{name}.routes"])}
        for name in dict.fromkeys(map(_resource, operations))
    ]
    return [*described, {"name": "health", "description": "For whoever runs the service."}]


def _describe_health() -> Json:
    def answer(description: str) -> Json:
        kinds = {"type": ["string", "boolean", "object"]}
        schema = {"type": "object", "additionalProperties": kinds}
        return {"description": description, "content": {"application/json": {"schema": schema}}}

    def operation(path: str) -> Json:
        summary, responses = HEALTH[path]
        return {
            "operationId": f"read_{path.removeprefix('/')}",
            "summary": summary,
            "tags": ["health"],
            "security": [],
            "responses": {status: answer(text) for status, text in responses.items()},
        }

    return {path: {"get": operation(path)} for path in HEALTH}


def _operation_id(operation: Operation) -> str:
    """The handler's name; with a word for its place where that is an old one."""
    return "_".join(filter(None, (operation.name, operation.old_place)))


def _security(operation: Operation) -> list[Json]:
    """Whom it lets in; of API keys each scope that opens it, as a role (OpenAPI 3.1)."""
    return [*SECURITY[operation.access], *({"key": [each]} for each in operation.opened_by)]


def _describe_one(operation: Operation, schemas: Schemas) -> Json:
    summary, more = _split(operation.handler)
    described: Json = {
        "operationId": _operation_id(operation),
        "summary": summary,
        "tags": [_resource(operation)],
        "security": _security(operation),
        "responses": _responses(operation, schemas),
    }
    if operation.old_place:
        described["deprecated"] = True
    if more:
        described["description"] = more
    if parameters := _parameters(operation, schemas):
        described["parameters"] = parameters
    if operation.body is not Nothing:
        content = {"schema": schemas.of(operation.body)}
        if example := _example(operation):
            content["example"] = example
        media = dict.fromkeys(MEDIA[operation.body_format], content)
        described["requestBody"] = {"required": operation.needs_body, "content": media}
    return described


def _links(operation: Operation, operations: Sequence[Operation]) -> Json:
    """What can be done with what it made: operations of its resource that take its name alone."""
    return {
        other.name: {
            "operationId": _operation_id(other),
            "parameters": {parameter: f"$response.body#{pointer}"},
        }
        for parameter, pointer in operation.names.items()
        for other in operations
        if other.old_place == operation.old_place
        and other.handler.__module__ == operation.handler.__module__
        and parameter in attrs.fields_dict(other.parameters)
        and operation.names.keys() >= set(re.findall(r"{(\w+)}", other.path))
    }


def _example(operation: Operation) -> Json | None:
    """What is proposed; at an old place another name, for the current one has taken it."""
    example: Json | None = getattr(operation.body, EXAMPLE, None)
    if example and operation.old_place and "name" in example:
        return {**example, "name": f"{example['name']}-{operation.old_place}"}
    return example


def _split(documented: object) -> tuple[str, str]:
    """The first line of its docstring, and the rest."""
    summary, _, more = (inspect.getdoc(documented) or "").partition("\n")
    return summary, more.strip()


def _responses(operation: Operation, schemas: Schemas) -> Json:
    done: Json = {"description": "Done"}
    if operation.result not in {None, Response}:
        done["content"] = {"application/json": {"schema": schemas.of(operation.result)}}
    if operation.is_paged:
        done["headers"] = {"Link": HEADERS["Link"]}
    responses = dict(operation.responses) or {str(operation.status): done}
    for further, result in operation.further_results.items():
        responses[str(further)] = _told(_split(result)[0].rstrip("."), schemas.of(result))
    for error in operation.errors:
        status, described = _describe_error(error, operation.refusal, schemas)
        responses[str(status)] = _with_page(operation.responses.get(str(status)), described)
    return responses


def _with_page(page: Json | None, described: Json) -> Json:
    """The error; and the page that tells browsers of it, where there is one."""
    if page is None:
        return described
    return {**described, **page, "content": {**page["content"], **described["content"]}}


def _describe_error(
    error: type[Exception], refusal: type[Form], schemas: Schemas
) -> tuple[int, Json]:
    if not issubclass(error, ApiError):
        return 422, _told("The request is malformed", schemas.of(InputFaults))
    described = _told(_split(error)[0].rstrip("."), schemas.of(refusal))
    if error.headers:
        described["headers"] = {name: HEADERS[name] for name in error.headers}
    return error.status, described


def _told(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _parameters(operation: Operation, schemas: Schemas) -> list[Json]:
    schema = schemas.components.get(operation.parameters.__name__, {"properties": {}})
    parameters = [
        _parameter(name, field, operation.path, is_required=name in schema.get("required", []))
        for name, field in schema["properties"].items()
    ]
    if operation.access.lets_in_services and "user_id" not in schema["properties"]:
        parameters.append(USER_ID)
    return parameters


def _parameter(name: str, field: Json, path: str, *, is_required: bool) -> Json:
    schema = without_null(field)
    example = {"example": PROPOSED[name]} if is_required and name in PROPOSED else {}
    return {
        "name": name,
        "in": "path" if f"{{{name}}}" in path else "query",
        "description": schema["description"],
        "required": is_required,
        **example,
        "schema": {key: value for key, value in schema.items() if key != "description"},
    }
