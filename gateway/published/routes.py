"""Publishing agents, flows and the master agent, and answering those who call them by A2A."""

import json
from hashlib import sha256
from typing import Any

from starlette.responses import Response

from gateway.openapi.schemas import Json
from gateway.published import queries
from gateway.published.cards import CARD_PATH, PREFIX, make_card, url_of
from gateway.published.errors import NotPublishedError, RpcError
from gateway.published.queries import (
    AliasTakenError,
    Publishable,
    Published,
    PublishedAlreadyError,
    StoredPublication,
)
from gateway.published.schemas import (
    NewPublication,
    Publication,
    PublicationAlias,
    PublicationPage,
)
from gateway.web.addresses import whole_base_of
from gateway.web.auth import Access
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.operation import Call, Operation, delete, get, listing, post
from gateway.web.paging import Page
from gateway.web.quotas import within
from shared.codec.text import write_json
from shared.domain.agents import make_alias, normalise_name
from shared.postgres.pool import connect

KEYS_PATH = f"{PREFIX}jwks.json"
CARD_SECONDS = 60  # for which a card may be kept
CACHED = f"public, max-age={CARD_SECONDS}"
MATCHES_ANY = "*"

JSON_OBJECT: Json = {"application/json": {"schema": {"type": "object"}}}
CARD: Json = {"description": "An `AgentCard`", "content": JSON_OBJECT}
KEYS: Json = {"description": "A JWK Set (RFC 7517)", "content": JSON_OBJECT}
NOT_MODIFIED: Json = {"description": "It is the same as before"}


async def create_publication(call: Call[NewPublication, Nothing]) -> Publication:
    """Publish an agent or a flow, or the master agent with a model config, under an alias.

    Its card can be read by everybody, and called it can be by who has published it.
    """
    new = call.body
    async with connect(call.database) as connection:
        found = await queries.select_publishable(connection, call.user_id, new.kind, new.id)
        if found is None:
            raise _nothing(new)
        alias = new.alias or _alias_of(found)
        try:
            async with within(queries.PUBLICATIONS, call, connection):
                is_there = await queries.insert_publication(
                    connection, call.user_id, new.kind, new.id, alias
                )
        except AliasTakenError:
            raise BadRequestError(f"The alias '{alias}' is taken") from None
        except PublishedAlreadyError:
            raise BadRequestError(f"The {new.kind} '{new.id}' is published already") from None
        stored = await queries.select_publication(connection, call.user_id, alias)
    if not is_there or stored is None:
        raise _nothing(new)
    return _shown(call, stored)


async def list_publications(call: Call[Nothing, PublicationPage]) -> Page[Publication]:
    """List what the user has published, newest first."""
    page = await call.read_page(
        lambda connection, part: queries.select_publications(connection, call.user_id, part)
    )
    make = page.make
    return Page(
        page.rows, lambda row: _shown(call, make(row)), page.size, page.has_more, page.uncounted
    )


async def read_publication(call: Call[Nothing, PublicationAlias]) -> Publication:
    """Read one of the user's publications."""
    alias = call.parameters.alias
    async with connect(call.database) as connection:
        stored = await queries.select_publication(connection, call.user_id, alias)
    if stored is None:
        raise _unknown(alias)
    return _shown(call, stored)


async def delete_publication(call: Call[Nothing, PublicationAlias]) -> None:
    """End one of the user's publications; what was published stays, and so do requests."""
    alias = call.parameters.alias
    async with connect(call.database) as connection:
        deleted = await queries.delete_publication(connection, call.user_id, alias)
    if not deleted:
        raise _unknown(alias)


async def read_card(call: Call[Nothing, PublicationAlias]) -> Response:
    """Read the card of what is published under an alias: what it is, and how it is called.

    It is for clients of A2A 1.0 and 0.3, and signed with a key of `/a2a/jwks.json`.
    """
    async with connect(call.database) as connection:
        published = await _find(call, connection)
    base = whole_base_of(call.request, call.state["settings"])
    card = make_card(published, base)
    whole = card.whole
    etag = f'W/"{sha256(write_json(whole)).hexdigest()}"'
    if _matches(call.request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers={"ETag": etag, "Cache-Control": CACHED})
    signer = call.state["card_signer"]
    signatures = signer.sign(card.content, whole, f"{base}{KEYS_PATH}")
    return _cached({**whole, "signatures": signatures}, etag)


async def list_keys(call: Call[Nothing, Nothing]) -> Response:
    """List the public keys with which cards are signed, as a JWK Set."""
    keys = call.state["card_signer"].public_keys
    return _cached(keys, f'"{sha256(write_json(keys)).hexdigest()}"')


async def _find(call: Call[Any, PublicationAlias], connection: Any) -> Published:
    published = await queries.select_published(connection, call.parameters.alias)
    if published is None:
        raise NotPublishedError(call.parameters.alias)
    return published


def _cached(content: Json, etag: str) -> Response:
    headers = {"ETag": etag, "Cache-Control": CACHED}
    text = json.dumps(content, ensure_ascii=False)
    return Response(text, headers=headers, media_type="application/json")


def _matches(header: str, etag: str) -> bool:
    """RFC 9110, 13.1.2: weak and strong ones are the same here."""
    named = [each.strip().removeprefix("W/") for each in header.split(",")]
    return MATCHES_ANY in named or etag.removeprefix("W/") in named


def _alias_of(found: Publishable) -> str:
    return (found.alias or make_alias(normalise_name(found.name))).lower()


def _shown(call: Call[Any, Any], stored: StoredPublication) -> Publication:
    url = url_of(whole_base_of(call.request, call.state["settings"]), stored.alias)
    return Publication(
        stored.alias,
        stored.kind,
        stored.target_id,
        stored.name,
        stored.created_at,
        url,
        f"{url}{CARD_PATH}",
    )


def _nothing(new: NewPublication) -> BadRequestError:
    return BadRequestError(f"You have no {new.kind} with id '{new.id}'")


def _unknown(alias: str) -> BadRequestError:
    return BadRequestError(f"You have published nothing as '{alias}'")


def _a2a(method: str, path: str, handler: Any, **others: Any) -> Operation:
    return Operation(
        method=method,
        path=f"{PREFIX}{path}",
        handler=handler,
        result=Response,
        refusal=RpcError,
        further_errors=[NotPublishedError],
        **others,
    )


operations = [
    post(
        "/api/publications",
        create_publication,
        NewPublication,
        Publication,
        names={"alias": "/alias"},
    ),
    listing(
        "/api/publications", list_publications, PublicationPage, list[Publication], fails=False
    ),
    get("/api/publications/{alias}", read_publication, PublicationAlias, Publication),
    delete("/api/publications/{alias}", delete_publication, PublicationAlias),
    Operation(
        method="GET",
        path=KEYS_PATH,
        handler=list_keys,
        result=Response,
        responses={"200": KEYS},
        access=Access.ANYONE,
        fails=False,
        refusal=RpcError,
    ),
    _a2a(
        "GET",
        f"{{alias}}{CARD_PATH}",
        read_card,
        parameters=PublicationAlias,
        responses={"200": CARD, "304": NOT_MODIFIED},
        access=Access.ANYONE,
    ),
]
