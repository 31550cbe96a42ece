"""Which account is signed in by the word of a provider: the one that has it, or a new one."""

from secrets import token_hex
from typing import Any
from uuid import UUID

from databases.core import Connection

from gateway.accounts.names import clean, objection_to
from gateway.accounts.queries import NO_PASSWORD, insert_user
from gateway.audit.acting import acting
from gateway.identities import queries
from gateway.identities.queries import Linked
from gateway.identities.sealing import Proof
from gateway.web.call import Call
from gateway.web.errors import UnavailableError

NAME_CHARACTERS = 240  # of a claim, so that there is room for what makes it unique
TRIES = 5
SUFFIX_BYTES = 3


class _MeanwhileError(Exception):
    """Somebody else has made the same identity."""


async def find_account(call: Call[Any, Any], proof: Proof) -> Linked:
    """The account that is signed in: linked before, by a verified mail now, or new."""
    try:
        return await _find(call, proof)
    except _MeanwhileError:
        return await _find(call, proof)


async def _find(call: Call[Any, Any], proof: Proof) -> Linked:
    async with acting(call) as connection:
        if proof.email is not None:
            await queries.lock_email(connection, proof.email)
        found = await queries.use_identity(connection, proof)
        linked = found or await _adopt(connection, proof)
        if proof.email is not None:
            await queries.set_email(connection, linked.user_id, proof.email)
    return linked


async def _adopt(connection: Connection, proof: Proof) -> Linked:
    """The account of the same mail, which both sides have verified, or else a new one."""
    user_id = await queries.select_by_email(connection, proof.email) if proof.email else None
    if user_id is None:
        user_id = await _create(connection, proof)
    id_ = await queries.insert_identity(connection, user_id, proof)
    if id_ is None:
        raise _MeanwhileError
    return Linked(id_, user_id)


async def _create(connection: Connection, proof: Proof) -> UUID:
    """A user of this name, or one like it: no name that somebody has is given away by a claim."""
    name = _clean(proof)
    for suffix in ("", *(f"-{token_hex(SUFFIX_BYTES)}" for _ in range(TRIES))):
        user = await insert_user(connection, f"{name}{suffix}", NO_PASSWORD)
        if user is not None:
            return user.id
    raise UnavailableError("No name was free for the new account, please try again")


def _clean(proof: Proof) -> str:
    name = clean(proof.name[:NAME_CHARACTERS])[:NAME_CHARACTERS].strip()
    return proof.provider if objection_to(name) else name
