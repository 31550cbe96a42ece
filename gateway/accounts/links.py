"""Links that administrators hand over, by REST or by the command."""

from uuid import UUID

from databases.core import Connection

from gateway.accounts.changes import ResetLink
from gateway.accounts.one_time import create_reset
from gateway.accounts.page import RESET_PATH, link
from shared.settings.gateway import GatewaySettings


async def create_link(
    connection: Connection, settings: GatewaySettings, user_id: UUID
) -> ResetLink | None:
    """By which a user sets another password; None: he is locked, or there is none."""
    made = await create_reset(connection, settings, user_id)
    if made is None:
        return None
    return ResetLink(made.token, link(settings, RESET_PATH, made.token), made.expires_at)
