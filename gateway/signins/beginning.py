"""How a sign-in begins, and goes on by its refresh token."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from attrs import frozen
from starlette.requests import HTTPConnection

from gateway.audit.acting import actor_of
from gateway.audit.actions import Action
from gateway.signins import queries
from gateway.signins.queries import NewSignIn, Renewal
from gateway.signins.refresh import hash_of, make_refresh_token, read_refresh_token
from gateway.signins.schemas import TokenPair
from gateway.web.addresses import host_of
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.refusals import LOCKED, REFRESH_TOKEN, REUSED
from shared.postgres.pool import connect
from shared.settings.gateway import GatewaySettings
from shared.telemetry.logging import bind_log_ids
from shared.tokens import USER_TOKEN_SECONDS, issue_user_token

DEVICE_LIMIT = 255  # characters of a User-Agent that are kept
OFFLINE_ACCESS = "offline_access"  # the scope by which clients ask for a refresh token

COPIED = {Action.SIGN_IN_ENDED: Action.SIGN_IN_COPIED}
LOCKED_OUT = "This account is locked. Please ask an administrator"


class RefusedGrantError(BadRequestError):
    """A user may not sign in, or a refresh token is good no more: `invalid_grant` (RFC 6749)."""


@frozen
class Vouched:
    """By which identity somebody signs in, and what the provider calls its own session."""

    identity_id: UUID
    sid: str | None
    sign_in_id: UUID
    """What it is to be: by that it ends if it turns out to have been copied."""
    authenticated_at: datetime | None
    """When somebody has shown there who he is; None: the provider does not say."""


@frozen
class _Lasting:
    access: timedelta
    """The life of an access token."""
    sign_in: timedelta
    """How long the sign-in lasts if it is not renewed."""
    at_most: timedelta


async def begin_sign_in(
    call: Call[Any, Any],
    user_id: UUID,
    method: str,
    *,
    offline: bool,
    vouched: Vouched | None = None,
) -> TokenPair:
    """Sign a user in. Raises RefusedGrantError where he is locked, or gone."""
    settings = call.state["settings"]
    id_ = vouched.sign_in_id if vouched else uuid4()
    lasting = _lasting(settings, offline=offline)
    refresh_token = make_refresh_token(settings.secret_key, id_) if offline else None
    device, address = seen(call.request)
    new = NewSignIn(
        id=id_,
        user_id=user_id,
        method=method,
        device=device,
        address=address,
        refresh_hash=None if refresh_token is None else hash_of(refresh_token),
        lasts=lasting.sign_in,
        identity_id=vouched.identity_id if vouched else None,
        provider_sid=vouched.sid if vouched else None,
        authenticated_at=vouched.authenticated_at if vouched else None,
    )
    ended = await call.state["signing_in"].do(new)
    if ended is None:
        async with connect(call.database) as connection:  # whoever was busy with him may be ready
            [ended] = await queries.insert_sign_ins(connection, [new], waits=True)
    if ended is None:
        await call.state["failures"].note(actor_of(call), user_id, method, "locked")
        raise RefusedGrantError(LOCKED_OUT, LOCKED)
    call.state["revocations"].publish(ended)
    return _pair(settings, user_id, id_, lasting, refresh_token)


async def renew(call: Call[Any, Any], presented: str) -> TokenPair:
    """New tokens for a refresh token, which is good no more. Raises RefusedGrantError.

    One that was good before has been copied by somebody: its sign-in ends.
    """
    settings = call.state["settings"]
    sign_in_id = read_refresh_token(settings.secret_key, presented)
    if sign_in_id is None:
        raise RefusedGrantError("The refresh token is not valid", REFRESH_TOKEN)
    lasting = _lasting(settings, offline=True)
    following = make_refresh_token(settings.secret_key, sign_in_id)
    device, address = seen(call.request)
    renewal = Renewal(
        sign_in_id=sign_in_id,
        presented=hash_of(presented),
        following=hash_of(following),
        device=device,
        address=address,
        lasts=lasting.sign_in,
        at_most=lasting.at_most,
    )
    async with connect(call.database) as connection:
        user_id = await queries.renew_sign_in(connection, renewal)
        is_copied = user_id is None and await queries.end_copied(
            connection, sign_in_id, renewal.presented, actor_of(call).said(COPIED)
        )
    if user_id is None:
        if is_copied:
            call.state["revocations"].publish([sign_in_id])
        detail = "The refresh token was used before, or its sign-in has ended"
        raise RefusedGrantError(detail, REUSED if is_copied else REFRESH_TOKEN)
    bind_log_ids(user_id=user_id)
    return _pair(settings, user_id, sign_in_id, lasting, following)


def seen(connection: HTTPConnection) -> tuple[str, str]:
    """What a client calls itself, and its address; empty where there is none."""
    device = connection.headers.get("user-agent", "")[:DEVICE_LIMIT]
    return device, host_of(connection)


def _lasting(settings: GatewaySettings, *, offline: bool) -> _Lasting:
    if offline:
        return _Lasting(
            timedelta(seconds=settings.access_token_seconds),
            timedelta(days=settings.refresh_token_days),
            timedelta(days=settings.sign_in_days),
        )
    whole = timedelta(seconds=USER_TOKEN_SECONDS)
    return _Lasting(whole, whole, whole)


def _pair(
    settings: GatewaySettings,
    user_id: UUID,
    sign_in_id: UUID,
    lasting: _Lasting,
    refresh_token: str | None,
) -> TokenPair:
    seconds = int(lasting.access.total_seconds())
    token = issue_user_token(settings.secret_key, user_id, sign_in_id, seconds)
    if refresh_token is None:
        return TokenPair(token)
    return TokenPair(token, refresh_token, expires_in=seconds)
