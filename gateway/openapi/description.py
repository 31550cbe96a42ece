"""OpenAPI 3.1 from the operations: the classes that parse are the ones that are described."""

import inspect
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from attrs import frozen
from starlette.responses import Response

from gateway.web.auth import Access
from gateway.web.inputs import Nothing
from gateway.web.operation import Operation
from shared.converter import FORBID_EXTRA_KEYS

type Json = dict[str, Any]

REF = "#/components/schemas/{name}"


@frozen
class Error:
    """One sentence about what went wrong."""

    detail: str


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
        "description": "MASTER_BE_API_KEY, together with the query parameter `user_id`.",
    },
}


FILE: Json = {"*/*": {"schema": {"type": "string", "format": "binary"}}}

FILE_RESPONSES: Json = {
    "200": {"description": "All of its bytes, with their type", "content": FILE},
    "206": {"description": "The bytes of the range", "content": FILE},
    "304": {"description": "The caller has it already"},
    "416": {"description": "The range has none of its bytes"},
}


def describe(operations: Sequence[Operation], title: str, version: str) -> Json:
    """The whole document, ready to be sent as JSON."""
    types = [type_ for each in operations for type_ in _types(each)] + [Error, InputFaults]
    schemas, components = msgspec.json.schema_components(types, ref_template=REF)
    by_type = list(zip(types, schemas, strict=True))
    ids = _operation_ids(operations)
    paths: dict[str, Json] = {}
    for operation, id_ in zip(operations, ids, strict=True):
        described = _describe_one(operation, id_, by_type, components)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {
            "schemas": _body_schemas(components, operations),
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def _types(operation: Operation) -> Iterable[Any]:
    candidates = (operation.body, operation.parameters, operation.result)
    return (type_ for type_ in candidates if type_ not in {Nothing, None, Response})


def _operation_ids(operations: Sequence[Operation]) -> list[str]:
    """The handlers' names, numbered where one serves several paths."""
    seen: Counter[str] = Counter()
    ids = []
    for operation in operations:
        seen[operation.name] += 1
        count = seen[operation.name]
        ids.append(operation.name if count == 1 else f"{operation.name}_{count}")
    return ids


def _describe_one(
    operation: Operation, id_: str, by_type: list[tuple[Any, Json]], components: Json
) -> Json:
    summary, _, more = (inspect.getdoc(operation.handler) or "").partition("\n")
    described: Json = {
        "operationId": id_,
        "summary": summary,
        "tags": [operation.handler.__module__.split(".")[1]],
        "security": SECURITY[operation.access],
        "responses": _responses(operation, by_type),
    }
    if more.strip():
        described["description"] = more.strip()
    if parameters := _parameters(operation, components):
        described["parameters"] = parameters
    if operation.body is not Nothing:
        described["requestBody"] = _request_body(operation, by_type)
    return described


def _schema(type_: Any, by_type: list[tuple[Any, Json]]) -> Json:
    return next(schema for known, schema in by_type if known == type_)


def _request_body(operation: Operation, by_type: list[tuple[Any, Json]]) -> Json:
    content = {"schema": _schema(operation.body, by_type)}
    media = {
        "json": ["application/json"],
        "form": ["application/x-www-form-urlencoded", "multipart/form-data"],
        "multipart": ["multipart/form-data"],
    }
    return {"required": True, "content": dict.fromkeys(media[operation.body_format], content)}


def _responses(operation: Operation, by_type: list[tuple[Any, Json]]) -> Json:
    def answer(description: str, type_: Any) -> Json:
        content = {"application/json": {"schema": _schema(type_, by_type)}}
        return {"description": description, "content": content}

    service = operation.access in {Access.USER_OR_SERVICE, Access.USER_AGENT_OR_SERVICE}
    responses: Json = {str(operation.status): {"description": "Done"}}
    if operation.result is Response:
        responses = dict(FILE_RESPONSES)
    elif operation.result is not None:
        responses[str(operation.status)] = answer("Done", operation.result)
    if operation.fails or service:
        responses["400"] = answer("It can't be done; the detail says why", Error)
    if operation.access is not Access.ANYONE:
        responses["401"] = answer("No credentials, or dead ones", Error)
    if operation.body is not Nothing:
        responses["408"] = answer("The body did not come in time", Error)
        responses["413"] = answer("The body is too large", Error)
    if operation.body is not Nothing or operation.parameters is not Nothing or service:
        responses["422"] = answer("The request is malformed", InputFaults)
    responses["503"] = answer("Something that is needed is away or too busy", Error)
    return responses


def _parameters(operation: Operation, components: Json) -> list[Json]:
    service = operation.access in {Access.USER_OR_SERVICE, Access.USER_AGENT_OR_SERVICE}
    schema = components.get(operation.parameters.__name__, {"properties": {}})
    parameters = [
        {
            "name": name,
            "in": "path" if f"{{{name}}}" in operation.path else "query",
            "required": name in schema.get("required", []),
            "schema": field,
        }
        for name, field in schema["properties"].items()
    ]
    if service and "user_id" not in schema["properties"]:
        user_id = {"type": "string", "format": "uuid"}
        parameters.append({"name": "user_id", "in": "query", "required": False, "schema": user_id})
    return parameters


def _body_schemas(components: Json, operations: Sequence[Operation]) -> Json:
    """The schemas of bodies and results; parameters stand with their operations."""
    expanded = {operation.parameters.__name__ for operation in operations}
    strict = {
        operation.body.__name__
        for operation in operations
        if getattr(operation.body, FORBID_EXTRA_KEYS, False)
    }
    return {
        name: {**schema, "additionalProperties": False} if name in strict else schema
        for name, schema in components.items()
        if name not in expanded
    }
