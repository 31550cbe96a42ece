"""API keys: bearer tokens for programs, each for what its scopes name."""

from datetime import timedelta
from uuid import UUID, uuid4

from gateway.audit.acting import acting
from gateway.keys import queries
from gateway.keys.format import PREFIX, hash_of, make_key
from gateway.keys.queries import NewRow
from gateway.keys.schemas import ApiKey, CreatedKey, KeyChanges, KeyId, KeyPage, NewKey
from gateway.signins.recent import expect_recent
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.lines import delete, listing, patch, post
from gateway.web.paging import Page
from gateway.web.quotas import within

PATH = "/api/keys"
SHOWN_CHARACTERS = len(PREFIX) + 4
NO_ADMINISTRATOR = "Only an administrator's key can have the scope 'admin'"


async def create_api_key(call: Call[NewKey, Nothing]) -> CreatedKey:
    """Make an API key, which is shown now and never again."""
    await expect_recent(call)
    new, key = call.body, make_key()
    lasts = None if new.expires_in is None else timedelta(seconds=new.expires_in)
    row = NewRow(
        id=uuid4(),
        name=new.name,
        hash=hash_of(key),
        start=key[:SHOWN_CHARACTERS],
        scopes=list(dict.fromkeys(new.scopes)),
        networks=list(dict.fromkeys(new.networks)),
        lasts=lasts,
    )
    async with acting(call) as connection, within(queries.KEYS, call, connection):
        made = await queries.insert_key(connection, call.user_id, row)
    if made is None:
        raise BadRequestError(NO_ADMINISTRATOR)
    return CreatedKey(
        key,
        made.id,
        made.name,
        made.start,
        made.scopes,
        made.networks,
        made.created_at,
        made.expires_at,
    )


async def list_api_keys(call: Call[Nothing, KeyPage]) -> Page[ApiKey]:
    """List the user's API keys, newest first: what each is for, and when it came last."""
    return await call.read_page(
        lambda connection, part: queries.select_keys(connection, call.user_id, part)
    )


async def update_api_key(call: Call[KeyChanges, KeyId]) -> ApiKey:
    """Call an API key something else; what it is for stays: make another one for that."""
    id_ = call.parameters.key_id
    async with acting(call) as connection:
        changed = await queries.update_key(connection, call.user_id, id_, call.body.name)
    if changed is None:
        raise _unknown(id_)
    return changed


async def delete_api_key(call: Call[Nothing, KeyId]) -> None:
    """End an API key: it opens nothing any more, and what it has opened is closed."""
    id_ = call.parameters.key_id
    async with acting(call) as connection:
        deleted = await queries.delete_key(connection, call.user_id, id_)
    if not deleted:
        raise _unknown(id_)
    call.state["revocations"].publish([id_])


def _unknown(id_: UUID) -> BadRequestError:
    return BadRequestError(f"You have no API key with id '{id_}'")


operations = [
    post(PATH, create_api_key, NewKey, CreatedKey, names={"key_id": "/id"}),
    listing(PATH, list_api_keys, KeyPage, list[ApiKey], fails=False),
    patch(PATH + "/{key_id}", update_api_key, KeyChanges, KeyId, ApiKey),
    delete(PATH + "/{key_id}", delete_api_key, KeyId),
]
