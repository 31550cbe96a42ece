"""What is over at once for a user who leaves, or is made to."""

from uuid import UUID

from databases import Database

from gateway.audit.acting import acting_as
from gateway.audit.actions import Action
from gateway.audit.noting import Actor, audit
from gateway.leaving import queries
from gateway.leaving.deletion import Deletion
from gateway.leaving.working import Deletions
from gateway.signins.queries import end_sign_ins
from gateway.signins.revocations import Revocations
from gateway.users.queries import lock_administrators
from shared.notifications.bus import Notifications
from shared.notifications.channels import REVOKED_TOKENS
from shared.notifications.formats import encode_revoked


class LastAdministratorError(Exception):
    """Nobody would be left to administer."""


async def begin_deletion(
    database: Database,
    notifications: Notifications,
    revocations: Revocations,
    deletions: Deletions,
    user_id: UUID,
    actor: Actor,
) -> Deletion | None:
    """Lock a user out everywhere and have all that he has removed; None: there is no such user.

    His sign-ins, keys and sockets, his agents' tokens, what he publishes and shares, and his
    requests are over when this returns. Raises LastAdministratorError, DatabaseAwayError.
    """
    said = {
        "via": actor.via,
        "actor_id": actor.user_id and str(actor.user_id),
        "credential_id": actor.credential_id and str(actor.credential_id),
        "address": actor.address,
    }
    async with acting_as(database, actor) as connection:
        if await lock_administrators(connection) == {user_id}:
            raise LastAdministratorError
        is_new = await queries.select_deletion(connection, user_id) is None
        ended = await end_sign_ins(connection, user_id)
        deletion = await queries.insert_deletion(connection, user_id, said)
        if deletion is None:
            return None
        agents = await queries.close_doors(connection, user_id)
        if is_new:
            action = Action.USER_DELETION_BEGUN
            await audit(connection, actor, action, object_id=user_id, owner_id=user_id)
    revocations.publish([user_id, *ended])
    for agent_id in agents:
        notifications.publish(REVOKED_TOKENS, encode_revoked(agent_id))
    await deletions.cancel_requests(user_id)
    deletions.want()
    return deletion
