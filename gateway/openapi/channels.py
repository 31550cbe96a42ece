"""AsyncAPI 3.0 from the channels: the classes that parse and build are the ones described."""

import inspect
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from gateway.openapi.schemas import Json, Schemas, make_schemas
from gateway.web.channel import Channel

ABOUT = """\
The REST API is described at [/openapi.json]({base}/openapi.json).

A handshake without a user's living token or API key, or with a `session_id` that is no UUID, is
refused with 403. Each frame that comes in is answered by exactly one: `ResponseFrame` or
`FailureFrame` when its request has ended, `FailureFrame` without `seq` when it could not be
accepted, `ValidationFailure` when it is malformed.
"""
TOKEN: Json = {
    "type": "httpApiKey",
    "name": "token",
    "in": "query",
    "description": "A user's token, or an API key of his with the scope `chat`.",
}


def describe_channels(channels: Sequence[Channel], title: str, version: str) -> Json:
    """The whole document, ready to be sent as JSON."""
    taken = [type_ for each in channels for type_ in (each.query, *each.takes)]
    schemas = make_schemas(taken, [type_ for each in channels for type_ in each.gives])
    frames = [frame for each in channels for frame in (*each.takes, *each.gives)]
    operations = [one for each in channels for one in _operations(each)]
    return {
        "asyncapi": "3.0.0",
        "info": {"title": title, "version": version, "description": ABOUT.format(base="")},
        "defaultContentType": "application/json",
        "channels": {each.name: _channel(each, schemas) for each in channels},
        "operations": dict(operations),
        "components": {
            "messages": {_name(frame): _message(frame, schemas) for frame in frames},
            "schemas": schemas.components,
            "securitySchemes": {"token": TOKEN},
        },
    }


def describe_channels_at(document: Json, base: str) -> Json:
    """The document for clients who find its paths after this base; the same where it is empty."""
    if not base:
        return document
    parts = urlsplit(base)
    channels = {
        name: {**channel, "address": parts.path + channel["address"]}
        for name, channel in document["channels"].items()
    }
    protocol = parts.scheme.replace("http", "ws")
    servers = {"public": {"host": parts.netloc, "protocol": protocol}} if parts.netloc else {}
    about = {**document["info"], "description": ABOUT.format(base=base)}
    return {**document, "info": about, "servers": servers, "channels": channels}


def _channel(channel: Channel, schemas: Schemas) -> Json:
    codes = "\n".join(f"- {code}: {meaning}" for code, meaning in channel.closes.items())
    frames = [_name(frame) for frame in (*channel.takes, *channel.gives)]
    return {
        "address": channel.path,
        "summary": inspect.getdoc(channel.handler),
        "description": f"It is closed with\n\n{codes}",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in frames},
        "bindings": {"ws": {"method": "GET", "query": schemas.components[channel.query.__name__]}},
        "x-close-codes": {str(code): meaning for code, meaning in channel.closes.items()},
    }


def _operations(channel: Channel) -> list[tuple[str, Json]]:
    """What it takes, and what it gives; each as the gateway sees it."""
    there = {"$ref": f"#/channels/{channel.name}"}
    token = [{"$ref": "#/components/securitySchemes/token"}]

    def messages(frames: Sequence[Any]) -> list[Json]:
        return [{"$ref": f"{there['$ref']}/messages/{_name(frame)}"} for frame in frames]

    def operation(action: str, frames: Sequence[Any]) -> Json:
        return {
            "action": action,
            "channel": there,
            "messages": messages(frames),
            "security": token,
        }

    return [
        (f"receive_from_{channel.name}", operation("receive", channel.takes)),
        (f"send_to_{channel.name}", operation("send", channel.gives)),
    ]


def _name(frame: Any) -> str:
    return str(frame.__name__ if isinstance(frame, type) else frame.__metadata__[0].title)


def _message(frame: Any, schemas: Schemas) -> Json:
    is_object = isinstance(frame, type)
    documented: str = (
        inspect.getdoc(frame) if is_object else frame.__metadata__[0].description
    ) or ""
    return {
        "name": _name(frame),
        "summary": documented.partition("\n")[0],
        "contentType": "application/json" if is_object else "text/plain",
        "payload": schemas.of(frame),
    }
