"""Links that administrators hand over, by REST or by the command."""

from uuid import UUID

from databases.core import Connection

from gateway.accounts.changes import ResetLink
from gateway.accounts.one_time import create_reset
from gateway.accounts.page import RESET_PATH, link
from gateway.audit.actions import Action
from gateway.audit.noting import Actor, audit
from shared.settings.gateway import GatewaySettings


async def create_link(
    connection: Connection, settings: GatewaySettings, actor: Actor, user_id: UUID
) -> ResetLink | None:
    """By which a user sets another password, noted as made; None: he is locked, or there is none.

    To be called in a transaction.
    """
    made = await create_reset(connection, settings, user_id)
    if made is None:
        return None
    action = Action.PASSWORD_LINK_CREATED
    await audit(connection, actor, action, object_id=user_id, owner_id=user_id)
    return ResetLink(made.token, link(settings, RESET_PATH, made.token), made.expires_at)
