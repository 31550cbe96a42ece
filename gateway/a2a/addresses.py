"""Where the card of an A2A agent may be, by the address that a user gives."""

from collections.abc import Iterator

import httpx2
from attrs import frozen

CARD_PATHS = ("/.well-known/agent-card.json", "/.well-known/agent.json")


@frozen
class CardPlace:
    """An address of an agent, and where its card may be."""

    address: str
    """As it is stored: without the card's usual path."""
    card_url: str


def find_places(given: httpx2.URL) -> list[CardPlace]:
    """Where a card may be, best first: at the address, at its host, or the address is the card's.

    Two agents of one host differ by their paths: what is there goes before what is at the host.
    """
    host = given.copy_with(raw_path=b"/")
    own = _itself(given)
    others = [*_below(_without_card_path(given)), *_below(host)]
    is_card = given.path.endswith(".json")
    return [*dict.fromkeys([*own, *others] if is_card else [*others, *own])]


def find_places_again(address: str, card_url: str | None) -> list[CardPlace]:
    """Where the card of a stored address may be: where it was, or else at the address.

    What is at its host may be another agent.
    """
    url = httpx2.URL(address)
    known = [CardPlace(address, card_url)] if card_url else []
    return [*dict.fromkeys([*known, *_below(url), *_itself(url)])]


def _below(url: httpx2.URL) -> Iterator[CardPlace]:
    """At its usual paths, the newer first. A query stays: some hosts tell agents apart by it."""
    for card_path in CARD_PATHS:
        yield CardPlace(_address(url), str(_with_path(url, _path(url).rstrip("/") + card_path)))


def _itself(url: httpx2.URL) -> list[CardPlace]:
    return [] if url.path == "/" else [CardPlace(_address(_without_card_path(url)), str(url))]


def _without_card_path(url: httpx2.URL) -> httpx2.URL:
    for card_path in CARD_PATHS:
        if url.path.endswith(card_path):
            return _with_path(url, _path(url).removesuffix(card_path) or "/")
    return url


def _path(url: httpx2.URL) -> str:
    """Its path as it is written: a slash may be none."""
    return url.raw_path.decode().partition("?")[0]


def _with_path(url: httpx2.URL, path: str) -> httpx2.URL:
    query = b"?" + url.query if url.query else b""
    return url.copy_with(raw_path=path.encode() + query)


def _address(url: httpx2.URL) -> str:
    return str(url) if url.query else str(url).rstrip("/")
