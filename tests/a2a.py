"""Programs that call what is published: the clients of the package for A2A, and any that posts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
from a2a.client.card_resolver import A2ACardResolver
from a2a.client.client import Client, ClientConfig
from a2a.client.client_factory import ClientFactory
from a2a.types import AgentCard, Message, Part, Role, SendMessageRequest, StreamResponse
from attrs import frozen

from tests.gateway.shapes import good
from tests.users import SSL_CONTEXT, Json, User

VERSION = {"A2A-Version": "1.0"}


@frozen
class Dialect:
    """One of the ways in which the protocol is spoken."""

    binding: str
    version: str

    def __str__(self) -> str:
        return f"{self.binding} {self.version}"


DIALECTS = [
    Dialect(binding, version) for version in ("1.0", "0.3") for binding in ("JSONRPC", "HTTP+JSON")
]


async def publish(user: User, kind: str, id_: str) -> str:
    """Publish something; the URL where it is called."""
    alias = f"published-{uuid4().hex}"
    new = {"kind": kind, "id": id_, "alias": alias}
    return str(good(await user.http.post("/api/publications", json=new))["url"])


async def publish_assistant(user: User) -> str:
    """Publish the master agent with the user's config; the URL where it is called."""
    [provider] = good(await user.http.get("/api/llm/model/configs"))
    return await publish(user, "config", provider["configs"][0]["id"])


@asynccontextmanager
async def calling(
    user: User, url: str, dialect: Dialect = DIALECTS[0], **config: Any
) -> AsyncIterator[Client]:
    """A client that has read the card, and speaks one dialect of those that it offers."""
    async with httpx.AsyncClient(
        headers={"Authorization": f"Bearer {user.token}"}, verify=SSL_CONTEXT, timeout=30
    ) as http:
        card = await A2ACardResolver(http, url).get_agent_card()
        bindings = [dialect.binding]
        factory = ClientFactory(
            ClientConfig(httpx_client=http, supported_protocol_bindings=bindings, **config)
        )
        yield factory.create(_only(card, dialect))


def _only(card: AgentCard, dialect: Dialect) -> AgentCard:
    wanted = [
        each
        for each in card.supported_interfaces
        if (each.protocol_binding, each.protocol_version) == (dialect.binding, dialect.version)
    ]
    assert len(wanted) == 1
    del card.supported_interfaces[:]
    card.supported_interfaces.extend(wanted)
    return card


def say(text: str = "hello", **others: Any) -> SendMessageRequest:
    """What asks with a text; `configuration` is the request's, the rest the message's."""
    configuration = others.pop("configuration", None)
    names = {"message_id": str(uuid4()), "role": Role.ROLE_USER}
    message = Message(**{**names, "parts": [Part(text=text)], **others})
    return SendMessageRequest(message=message, configuration=configuration)


def shown(events: list[StreamResponse]) -> str:
    """The answer, as a client puts its parts together."""
    answer = ""
    for event in events:
        update = event.artifact_update
        if event.HasField("artifact_update") and update.artifact.artifact_id == "answer":
            text = "".join(part.text for part in update.artifact.parts)
            answer = answer + text if update.append else text
    return answer


async def post_rpc(user: User, url: str, method: str, params: Any, **headers: str) -> Json:
    """What is answered to JSON-RPC."""
    body = {"jsonrpc": "2.0", "id": "one", "method": method, "params": params}
    answered = await user.http.post(url, json=body, headers=VERSION | headers)
    told: Json = good(answered)
    assert (told["jsonrpc"], told["id"]) == ("2.0", "one")
    return told
