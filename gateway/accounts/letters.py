"""What users are told by mail. Each is written when its turn to be sent comes, with a new token."""

from datetime import timedelta
from uuid import UUID

from databases import Database

from gateway.accounts import one_time
from gateway.accounts.email_queries import select_by_email, select_email
from gateway.accounts.one_time import Purpose
from gateway.accounts.page import EMAIL_PATH, RESET_PATH, link
from gateway.audit.acting import acting_as
from gateway.audit.noting import Actor
from gateway.mail.sending import Letter
from shared.postgres.pool import connect
from shared.settings.gateway import GatewaySettings

PROOF_LASTS = timedelta(days=1)

RESET = """\
Hello {username},

somebody, you we hope, asks for a new password of your account. Set one here, once and before
{until:%Y-%m-%d %H:%M} UTC:

{url}

If it was not you, there is nothing to do: your password stays as it is.
"""
# Anybody may have it sent to anybody: no word of it is the sender's, not even a name.
PROOF = """\
Hello,

mail about your account here is to be sent to this address. Show that it reaches you, before
{until:%Y-%m-%d %H:%M} UTC:

{url}

If you have no account here, forget this mail: nothing else will come.
"""
CHANGED = """\
Hello {username},

the password of your account has just been changed, and whoever was signed in with the old one is
signed out. If it was not you, set another one by mail, or tell an administrator.
"""


async def write_reset(
    database: Database, asking: Actor, settings: GatewaySettings, email: str
) -> Letter | None:
    """A link for whoever has verified this address; None: nobody has."""
    async with acting_as(database, asking) as connection:
        user = await select_by_email(connection, email)
        if user is None:
            return None
        id_, username, to = user
        made = await one_time.create_reset(connection, settings, id_, Purpose.RESET_BY_MAIL)
    if made is None:
        return None
    url = link(settings, RESET_PATH, made.token)
    text = RESET.format(username=username, until=made.expires_at, url=url)
    return Letter(to, "A new password", text)


async def write_proof(
    database: Database, settings: GatewaySettings, user_id: UUID, email: str
) -> Letter | None:
    """A link that shows that an address is the user's; None: he is locked, or gone."""
    async with connect(database) as connection:
        made = await one_time.create_token(connection, user_id, Purpose.EMAIL, PROOF_LASTS, email)
    if made is None:
        return None
    text = PROOF.format(until=made.expires_at, url=link(settings, EMAIL_PATH, made.token))
    return Letter(email, "Your mail address", text)


async def tell_changed(database: Database, user_id: UUID) -> Letter | None:
    """That the password is another one; None: the user has verified no address."""
    async with connect(database) as connection:
        user = await select_email(connection, user_id)
    if user is None or user.email is None or user.verified_at is None:
        return None
    text = CHANGED.format(username=user.username)
    return Letter(user.email, "Your password was changed", text)
