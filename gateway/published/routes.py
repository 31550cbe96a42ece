"""Publishing agents, flows and the master agent, and answering those who call them by A2A."""

from typing import Any

from gateway.published import calls, queries
from gateway.published.queries import AliasTakenError, Publishable, PublishedAlreadyError
from gateway.published.schemas import (
    NewPublication,
    Publication,
    PublicationAlias,
    PublicationPage,
)
from gateway.web.addresses import whole_base_of
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.lines import delete, get, listing, post
from gateway.web.paging import Page
from gateway.web.quotas import within
from shared.domain.agents import make_alias, normalise_name
from shared.postgres.pool import connect


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
        publication = await queries.select_publication(
            connection, call.user_id, alias, _base_of(call)
        )
    if not is_there or publication is None:
        raise _nothing(new)
    return publication


async def list_publications(call: Call[Nothing, PublicationPage]) -> Page[Publication]:
    """List what the user has published, newest first."""
    base = _base_of(call)
    return await call.read_page(
        lambda connection, part: queries.select_publications(connection, call.user_id, part, base)
    )


async def read_publication(call: Call[Nothing, PublicationAlias]) -> Publication:
    """Read one of the user's publications."""
    alias = call.parameters.alias
    async with connect(call.database) as connection:
        publication = await queries.select_publication(
            connection, call.user_id, alias, _base_of(call)
        )
    if publication is None:
        raise _unknown(alias)
    return publication


async def delete_publication(call: Call[Nothing, PublicationAlias]) -> None:
    """End one of the user's publications; what was published stays, and so do requests."""
    alias = call.parameters.alias
    async with connect(call.database) as connection:
        deleted = await queries.delete_publication(connection, call.user_id, alias)
    if not deleted:
        raise _unknown(alias)


def _alias_of(found: Publishable) -> str:
    return (found.alias or make_alias(normalise_name(found.name))).lower()


def _base_of(call: Call[Any, Any]) -> str:
    return whole_base_of(call.request, call.state["settings"])


def _nothing(new: NewPublication) -> BadRequestError:
    return BadRequestError(f"You have no {new.kind} with id '{new.id}'")


def _unknown(alias: str) -> BadRequestError:
    return BadRequestError(f"You have published nothing as '{alias}'")


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
    *calls.operations,
]
