"""Who acts, and the entry of what no trigger notes."""

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from attrs import frozen
from databases.core import Connection

from gateway.audit.actions import Action
from gateway.audit.queries import NewEntry, insert_entry
from shared.codec.text import write_json

AS_IT_IS: Mapping[Action, Action] = MappingProxyType({})


@frozen
class Actor:
    """Who does something, by what, and from where."""

    via: str
    user_id: UUID | None = None
    credential_id: UUID | None = None
    address: str = ""

    def said(self, instead: Mapping[Action, Action] = AS_IT_IS) -> str:
        """The value of `genai.actor` in PostgreSQL, with what some actions are called instead."""
        said = {
            "via": self.via,
            "actor_id": self.user_id,
            "credential_id": self.credential_id,
            "address": self.address,
            "as": dict(instead),
        }
        return write_json(said).decode()


COMMAND = Actor("command")  # `python -m gateway.admin`


async def audit(
    connection: Connection,
    actor: Actor,
    action: Action,
    *,
    object_id: UUID | None = None,
    owner_id: UUID | None = None,
    details: Mapping[str, object] | None = None,
) -> None:
    """Note what changes no row that a trigger watches. The details never have what may be secret.

    In a transaction it is noted with what else is done there, or not at all.
    """
    new = NewEntry(
        action=action,
        via=actor.via,
        actor_id=actor.user_id,
        credential_id=actor.credential_id,
        address=actor.address,
        object_id=object_id,
        owner_id=owner_id,
        details=dict(details or {}),
    )
    await insert_entry(connection, new)
