"""What an A2A agent says about itself on its card, in any generation of the protocol."""

from collections.abc import Sequence
from hashlib import sha256
from operator import itemgetter

import attrs
import httpx2
from anyio import to_thread
from attrs import frozen

from gateway.a2a.addresses import CardPlace, find_places, find_places_again
from gateway.a2a.cards import Card, read_card
from gateway.a2a.interfaces import Interface, admit, read_interfaces
from gateway.remote.causes import describe_answer
from gateway.remote.credentials import Credentials
from gateway.remote.errors import UnreachableError
from gateway.remote.kinds import SHORT_SECONDS
from gateway.remote.left_out import log_left_out
from gateway.remote.outbound import Outbound
from gateway.remote.urls import read_url


@frozen
class FoundCard:
    """A card as it was found, in the form that is stored."""

    address: str
    card_url: str
    card: Card
    interfaces: list[Interface]
    """Where calls may go, best first; one at least."""
    digest: str | None = None
    """Of the card as it was sent."""


async def look_up(
    outbound: Outbound,
    url: str,
    card_url: str | None = None,
    credentials: Credentials | None = None,
) -> FoundCard:
    """The card of the agent at this address, or at its host; of one that is known, where it was.

    Parts that are no good are left out, and the log says so. Raises UnreachableError.
    """
    places = find_places_again(url, card_url) if card_url else find_places(read_url(url))
    async with outbound.visit(credentials=credentials) as http:
        place, card, digest = await _visit(http, places, was_sent=credentials is not None)
        stated = read_interfaces(card, place.address)
        interfaces, refused = await admit(outbound, stated, place.card_url)
    left_out = [*card.left_out, *refused]
    log_left_out(left_out, "parts", "A2A agent", url)
    name = card.name or httpx2.URL(place.address).host
    card = attrs.evolve(card, name=name, left_out=left_out)
    return FoundCard(place.address, place.card_url, card, interfaces, digest)


async def finds_the_same(
    outbound: Outbound, url: str, card_url: str, digest: str, credentials: Credentials | None
) -> bool:
    """Whether the card of the agent at this address is where it was, and has this digest.

    If not, or if that can't be said, a look-up finds out more.
    """
    try:
        async with outbound.visit(seconds=SHORT_SECONDS, credentials=credentials) as http:
            answer = await http.get(card_url)
            return answer.is_success and _digest_of(answer.content) == digest
    except UnreachableError:
        return False


async def _visit(
    http: httpx2.AsyncClient, places: Sequence[CardPlace], *, was_sent: bool
) -> tuple[CardPlace, Card, str]:
    """The first card that there is, with its digest. Raises UnreachableError."""
    failures = []
    for place in places:
        answer = await http.get(place.card_url)
        try:
            if not answer.is_success:
                raise describe_answer(answer, was_sent=was_sent)
            card = await to_thread.run_sync(read_card, answer.content)
            return place, card, _digest_of(answer.content)
        except UnreachableError as error:
            failures.append((answer.status_code == httpx2.codes.NOT_FOUND, error))
    _, failure = min(failures, key=itemgetter(0))  # the first that tells more than "Not Found"
    raise failure


def _digest_of(card: bytes) -> str:
    return sha256(card).hexdigest()
