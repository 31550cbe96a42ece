"""Where an A2A agent is called by its card, in the words of version 1 of the protocol."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import httpx2
from attrs import frozen
from msgspec import UNSET, UnsetType

from gateway.a2a.cards import Card
from gateway.remote.errors import RefusedUrlError, UnreachableError
from gateway.remote.left_out import LeftOut
from gateway.remote.outbound import Outbound
from gateway.remote.texts import is_spoilt
from gateway.remote.urls import read_url, show
from shared.codec.converter import structure
from shared.codec.text import read_json

MOST_INTERFACES = 20
STATING = frozenset({"url", "supportedInterfaces", "additionalInterfaces"})  # parts of a card

JSONRPC = "JSONRPC"
NEWER_ONLY = (
    "It has no JSON-RPC interface of version 0.x of the protocol, which older master agents speak"
)
STATED_NO_VERSION = "0.3.0"  # which the SDK takes a card for that has a URL and no version


@frozen
class Interface:
    """One way to call an agent."""

    url: str
    protocolBinding: str  # noqa: N815 (the protocol's words)
    protocolVersion: str  # noqa: N815
    tenant: str | UnsetType = UNSET


def read_interfaces(card: Card, address: str) -> list[Interface]:
    """What a card says, best first; a card that says nothing of it is called at its address."""
    stated = [*_supported(card.content)] or [*_older(card)]
    default = Interface(address, JSONRPC, _version(card.content))
    return [*dict.fromkeys(stated)][:MOST_INTERFACES] or [default]


def needs_newer(interfaces: str | None) -> str | UnsetType:
    """Why no master agent of the original can call an agent with these interfaces, as JSON text."""
    stated = structure(read_json(interfaces), list[Interface]) if interfaces else []
    is_older = any(
        one.protocolBinding == JSONRPC and one.protocolVersion.startswith("0.") for one in stated
    )
    return UNSET if is_older or not stated else NEWER_ONLY


def _supported(content: Mapping[str, Any]) -> Iterator[Interface]:
    """Of a card of version 1."""
    for one in content.get("supportedInterfaces", []):
        match one:
            case {"url": str(url)}:
                words = ("protocolBinding", "protocolVersion", "tenant")
                binding, version, tenant = (_text(one.get(word)) for word in words)
                yield Interface(url, binding or JSONRPC, version or "1.0", tenant or UNSET)


def _older(card: Card) -> Iterator[Interface]:
    """Of a card of a version before."""
    version = _version(card.content)
    if card.url:
        yield Interface(card.url, _text(card.content.get("preferredTransport")) or JSONRPC, version)
    for one in card.content.get("additionalInterfaces", []):
        match one:
            case {"url": str(url), "transport": str(transport)}:
                yield Interface(url, transport, version)


def _version(content: Mapping[str, Any]) -> str:
    return _text(content.get("protocolVersion")) or STATED_NO_VERSION


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


async def admit(
    outbound: Outbound, stated: Sequence[Interface], card_url: str
) -> tuple[list[Interface], list[LeftOut]]:
    """Those that may be called, and the others. Raises UnreachableError where none may.

    What a card says has to lead where a user's own address may.
    """
    admitted, refused = [], []
    for one in stated:
        try:
            url = _join(card_url, one.url)
            await outbound.admit(read_url(url))
        except UnreachableError as error:
            refused.append(LeftOut(show(one.url), error.sentence))
        else:
            admitted.append(attrs.evolve(one, url=url))
    if not admitted:
        raise UnreachableError(f"its card has it called at {refused[0].name}. {refused[0].reason}")
    return admitted, refused


def _join(card_url: str, stated: str) -> str:
    """A URL of a card, which may leave out what it has in common with the card's."""
    if is_spoilt(stated):
        raise RefusedUrlError("The URL has characters that are none")
    try:
        return str(httpx2.URL(card_url).join(stated))
    except httpx2.InvalidURL:
        raise RefusedUrlError("This is not a URL") from None
