"""Signing in by providers of OpenID Connect."""

from datetime import UTC, datetime
from typing import Any

from authlib.common.urls import add_params_to_uri
from msgspec import UNSET, UnsetType
from starlette.responses import RedirectResponse, Response

from gateway.accounts.admission import expect_return
from gateway.accounts.schemas import TokenRefusal
from gateway.audit.acting import acting
from gateway.grants.page import show_end
from gateway.identities import queries
from gateway.identities.accounts import find_account
from gateway.identities.bearers import told_as_logged_out
from gateway.identities.flows import begin, finish
from gateway.identities.once import take_once
from gateway.identities.providers import Provider
from gateway.identities.schemas import (
    BackChannelLogout,
    CodeGrant,
    LoginBegin,
    LoginProvider,
    LoginReturn,
    LoginWays,
    LogoutBegin,
    LogoutRefusal,
    OfProvider,
)
from gateway.identities.sealing import FLOW_SECONDS, Flow
from gateway.identities.signing_in import (
    PREFIX,
    SEE_OTHER,
    callback_of,
    check_page,
    find_provider,
    make_code,
    read_flow,
    send_away,
    send_back,
    take_code,
)
from gateway.identities.tokens import LEEWAY_SECONDS, LOGOUT_SECONDS, read_logout_token
from gateway.remote.errors import UnreachableError
from gateway.signins.beginning import Vouched, begin_sign_in
from gateway.signins.schemas import TokenPair
from gateway.web.addresses import base_of
from gateway.web.auth import Access
from gateway.web.call import Call
from gateway.web.errors import ApiError, BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.lines import get
from gateway.web.metrics import LOGINS
from gateway.web.operation import Operation
from gateway.web.refusals import LOGOUT_TOKEN, PROVIDER, log_refusal
from shared.postgres.pool import connect
from shared.secrets import id_of
from shared.telemetry.logging import bind_log_ids

TITLE = "Not signed in"
OVER = (
    "This sign-in was begun in another browser, or too long ago, or is finished already."
    " Please begin it again."
)
REMEMBERED_SECONDS = LOGOUT_SECONDS + 2 * LEEWAY_SECONDS


async def read_login_ways(call: Call[Nothing, Nothing]) -> LoginWays:
    """Read how one can sign in here."""
    settings = call.state["settings"]
    base = base_of(call.request, settings)
    providers = [
        LoginProvider(each.name, each.title, f"{base}{PREFIX}/{each.name}")
        for each in call.state["providers"].all
    ]
    mail = settings.password_login and call.state["mail"].is_sent
    return LoginWays(settings.password_login, providers, mail)


async def read_oidc_login(call: Call[Nothing, LoginBegin]) -> Response:
    """Send a browser to a provider, to sign in there.

    It comes back to `redirect_uri`, behind whose `#` stands a `code` for `/api/login/oidc/token`,
    or an `error` and its `error_description`; and `state`, if there was one.
    """
    settings = call.state["settings"]
    try:
        provider = find_provider(call)
        check_page(settings, call.parameters.redirect_uri)
        begun = await begin(provider, callback_of(settings, provider), call.parameters)
    except ApiError as error:
        return show_end(TITLE, f"{error.detail}.", 400)
    except UnreachableError as error:
        return show_end(TITLE, f"{call.parameters.provider} can't be used: {error}.", 503)
    return send_away(settings, begun, call.state["vault"])


async def read_oidc_return(call: Call[Nothing, LoginReturn]) -> Response:
    """Take a browser back from a provider, and send it to the page that asked for it."""
    given, settings = call.parameters, call.state["settings"]
    flow = read_flow(call, given.state)
    provider = call.state["providers"].named(given.provider)
    if flow is None or provider is None or flow.provider != provider.name:
        return show_end(TITLE, OVER, 400)
    if given.error is not UNSET or not given.code:
        told = "access_denied" if given.error is UNSET else given.error
        return send_back(settings, flow, given.state, error=told)
    try:
        code = await _finish(call, provider, flow)
    except UnreachableError as error:
        LOGINS.labels("wrong").inc()
        bind_log_ids(provider=provider.name, reason=str(error))
        log_refusal(PROVIDER, call.request)
        return send_back(
            settings,
            flow,
            given.state,
            error="server_error",
            error_description=f"{provider.title}: {error.sentence}",
        )
    return send_back(settings, flow, given.state, code=code)


async def _finish(call: Call[Nothing, LoginReturn], provider: Provider, flow: Flow) -> str:
    """The code for the page. Raises UnreachableError, TooManyRequestsError."""
    given, settings = call.parameters, call.state["settings"]
    login = expect_return(call.state["attempts"], settings, call.request)
    await login.begin()
    async with connect(call.database) as connection:
        is_first = await take_once(connection, id_of(given.state), FLOW_SECONDS)
    if not is_first:
        raise UnreachableError("this sign-in is finished already")
    issuer = None if isinstance(given.iss, UnsetType) else given.iss
    proof = await finish(provider, flow, callback_of(settings, provider), given.code, issuer)
    await login.succeed()
    return make_code(call.state["vault"], proof)


async def create_oidc_token(call: Call[CodeGrant, Nothing]) -> TokenPair:
    """Sign in by the code that a page has got, once.

    Who was never here before gets an account, unless a mail that is verified on both sides says
    that he has one.
    """
    body = call.body
    proof = await take_code(call, body.code, body.code_verifier, body.redirect_uri)
    linked = await find_account(call, proof)
    bind_log_ids(user_id=linked.user_id)
    if proof.is_admin is not None:
        await _set_role(call, linked, is_admin=proof.is_admin)
    at = proof.authenticated_at
    told_at = None if at is None else datetime.fromtimestamp(at, UTC)
    vouched = Vouched(linked.id, proof.sid, proof.id, told_at)
    given = await begin_sign_in(
        call, linked.user_id, proof.provider, offline=proof.offline, vouched=vouched
    )
    LOGINS.labels("succeeded").inc()
    return given


async def _set_role(call: Call[Any, Any], linked: queries.Linked, *, is_admin: bool) -> None:
    role = "admin" if is_admin else "user"
    async with acting(call, linked.user_id) as connection:
        has_changed = await queries.set_role(connection, linked.user_id, role)
    if has_changed:
        call.state["revocations"].publish([linked.user_id])


async def create_oidc_logout(call: Call[BackChannelLogout, OfProvider]) -> None:
    """End what somebody has begun who has signed out at a provider; only that can ask for it.

    The provider's own tokens that were given to him before are over too, whichever session it was:
    most don't say from which they are.
    """
    provider = find_provider(call)
    try:
        ended = await read_logout_token(provider, call.body.logout_token)
    except UnreachableError as error:
        raise BadRequestError(error.sentence, LOGOUT_TOKEN) from None
    issuer = provider.settings.issuer
    async with acting(call) as connection:
        if not await take_once(connection, ended.id, REMEMBERED_SECONDS):
            raise BadRequestError("The logout token was used before", LOGOUT_TOKEN)
        logged_out = await queries.note_logout(connection, issuer, ended)
        told = [told_as_logged_out(each) for each in logged_out]
        await queries.insert_revocations(connection, told)
        if ended.subject is not None:
            ids = await queries.end_sign_ins_of_subject(
                connection, issuer, ended.subject, ended.sid
            )
        else:
            assert ended.sid is not None
            ids = await queries.end_sign_ins_of_session(connection, issuer, ended.sid)
    call.state["revocations"].publish([*ids, *told])


async def read_oidc_logout(call: Call[Nothing, LogoutBegin]) -> Response:
    """Send a browser to a provider, to sign out there too (RP-Initiated Logout 1.0)."""
    settings, page = call.state["settings"], call.parameters.redirect_uri
    try:
        provider = find_provider(call)
        if not isinstance(page, UnsetType):
            check_page(settings, page)
        endpoint = (await provider.known()).metadata.end_session_endpoint
    except ApiError as error:
        return show_end("Not signed out", f"{error.detail}.", 400)
    except UnreachableError as error:
        return show_end("Not signed out", f"{call.parameters.provider}: {error.sentence}.", 503)
    if endpoint is None:
        return show_end("Not signed out", f"{provider.title} has no page for that.", 400)
    asked = [("client_id", provider.settings.client_id)]
    if not isinstance(page, UnsetType):
        asked.append(("post_logout_redirect_uri", page))
    return RedirectResponse(add_params_to_uri(endpoint, asked), SEE_OTHER)


def _browser(path: str, handler: Any, parameters: type) -> Operation:
    page = {"content": {"text/html": {"schema": {"type": "string"}}}}
    return Operation(
        method="GET",
        path=PREFIX + path,
        handler=handler,
        parameters=parameters,
        result=Response,
        status=SEE_OTHER,
        responses={
            "303": {"description": "Where to go on"},
            "400": {**page, "description": "A page that says why not"},
            "503": {**page, "description": "A page that says what is away"},
        },
        access=Access.ANYONE,
        bounded=True,
    )


operations = [
    get(
        "/api/login/providers",
        read_login_ways,
        Nothing,
        LoginWays,
        access=Access.ANYONE,
        fails=False,
    ),
    Operation(
        method="POST",
        path=f"{PREFIX}/token",
        handler=create_oidc_token,
        body=CodeGrant,
        body_format="form",
        result=TokenPair,
        refusal=TokenRefusal,
        access=Access.ANYONE,
    ),
    _browser("/{provider}", read_oidc_login, LoginBegin),
    _browser("/{provider}/callback", read_oidc_return, LoginReturn),
    _browser("/{provider}/logout", read_oidc_logout, LogoutBegin),
    Operation(
        method="POST",
        path=PREFIX + "/{provider}/backchannel-logout",
        handler=create_oidc_logout,
        body=BackChannelLogout,
        body_format="form",
        parameters=OfProvider,
        refusal=LogoutRefusal,
        access=Access.ANYONE,
    ),
]
