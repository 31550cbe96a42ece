"""As whom the user can sign in: what he links and unlinks himself."""

from gateway.accounts.choosing import ask_password
from gateway.accounts.queries import NO_PASSWORD
from gateway.audit.acting import acting
from gateway.identities import queries
from gateway.identities.schemas import (
    Identities,
    Identity,
    IdentityId,
    NewIdentity,
)
from gateway.identities.signing_in import take_code
from gateway.signins.recent import expect_recent
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.lines import delete, listing, post
from gateway.web.paging import Page
from shared.postgres.pool import connect

PATH = "/api/me/identities"
TAKEN = "Whoever signed in there is linked to another account here already"
LAST = "This is the only way in that you have: set a password or link another one before"


async def read_identities(call: Call[Nothing, Nothing]) -> Page[Identity]:
    """Read as whom the user is known to providers, by which he can sign in."""
    async with connect(call.database) as connection:
        page = await queries.select_told_identities(connection, call.user_id)
    page.around = lambda _: Identities([])
    return page


async def create_identity(call: Call[NewIdentity, Nothing]) -> Identity:
    """Link who has signed in at a provider with the user, by the code that a page has got.

    The password is asked for, if the user has one, or else a recent sign-in: a token that was
    stolen adds no way in.
    """
    async with call.turn("create_identity"):
        await ask_password(call, call.body.password)
        return await _link(call)


async def _link(call: Call[NewIdentity, Nothing]) -> Identity:
    proof = await take_code(call, call.body.code, call.body.code_verifier)
    async with acting(call) as connection:
        if proof.email is not None:
            await queries.lock_email(connection, proof.email)
        await queries.insert_identity(connection, call.user_id, proof)
        linked = await queries.use_identity(connection, proof)
        if linked is None or linked.user_id != call.user_id:
            raise BadRequestError(TAKEN)
        if proof.email is not None:
            await queries.set_email(connection, call.user_id, proof.email)
        identities = await queries.select_identities(connection, call.user_id)
    return next(each for each in identities if each.id == linked.id)


async def delete_identity(call: Call[Nothing, IdentityId]) -> None:
    """Unlink one: nobody signs in by it any more, and who did so is signed out."""
    await expect_recent(call)
    id_ = call.parameters.identity_id
    async with acting(call) as connection:
        password = await queries.select_password_for_update(connection, call.user_id)
        has_password = password != NO_PASSWORD and call.state["settings"].password_login
        others = await queries.select_identities(connection, call.user_id)
        if not has_password and [each.id for each in others] == [id_]:
            raise BadRequestError(LAST)
        ended = await queries.delete_identity(connection, call.user_id, id_)
    if ended is None:
        raise BadRequestError(f"You have no identity with id '{id_}'")
    call.state["revocations"].publish([*ended, id_])


operations = [
    listing(PATH, read_identities, Nothing, Identities, fails=False),
    post(PATH, create_identity, NewIdentity, Identity, bounded=True, lends=False),
    delete(PATH + "/{identity_id}", delete_identity, IdentityId),
]
