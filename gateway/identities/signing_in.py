"""Where a browser is sent, and what becomes of the code that its page gets for it."""

from hmac import compare_digest
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from starlette.responses import RedirectResponse

from gateway.accounts.page import EMAIL_PATH
from gateway.audit.acting import actor_of
from gateway.identities.flows import Begun
from gateway.identities.once import take_once
from gateway.identities.providers import Provider
from gateway.identities.queries import end_copied
from gateway.identities.sealing import CODE_SECONDS, FLOW_SECONDS, Flow, Proof, seal, unseal
from gateway.signins.beginning import COPIED, RefusedGrantError
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.refusals import CODE
from shared.postgres.pool import connect
from shared.secrets import id_of
from shared.settings.gateway import GatewaySettings

PREFIX = "/api/login/oidc"
OWN_PAGES = ("/docs/signed-in", "/console", EMAIL_PATH)  # that have people sign in
SEE_OTHER = 303
NO_PLACE = UUID(int=0)  # a code is its own place

BAD_CODE = "The code is not valid, was used before, or has expired. Please sign in again"


def callback_of(settings: GatewaySettings, provider: Provider) -> str:
    """Where a provider sends people back to; it has to know that."""
    return f"{settings.public_url}{PREFIX}/{provider.name}/callback"


def find_provider(call: Call[Any, Any]) -> Provider:
    """The one that the path names. Raises BadRequestError."""
    name = call.parameters.provider
    provider = call.state["providers"].named(name)
    if provider is None:
        raise BadRequestError(f"There is no provider '{name}'")
    return provider


def check_page(settings: GatewaySettings, address: str) -> None:
    """Raises BadRequestError for an address at which nobody's codes belong (RFC 9700, 4.1.3)."""
    path = urlsplit(settings.public_url or "").path
    own = {f"{settings.public_origin}{path}{page}" for page in OWN_PAGES}
    if address not in own.union(settings.sign_in_pages):
        raise BadRequestError("'redirect_uri' must be a page that SIGN_IN_PAGES names, exactly")


def send_away(settings: GatewaySettings, begun: Begun, vault: Any) -> RedirectResponse:
    """To the provider, with what this browser alone is to bring back."""
    response = RedirectResponse(begun.url, SEE_OTHER)
    response.set_cookie(
        _cookie(settings, begun.state),
        seal(vault, begun.flow, id_of(begun.state)),
        max_age=FLOW_SECONDS,
        secure=_is_https(settings),
        httponly=True,
        samesite="lax",  # a provider's answer is a link of another site
    )
    return response


def read_flow(call: Call[Any, Any], state: str) -> Flow | None:
    """What this browser has begun with that state; None: another one has, or nobody."""
    sealed = call.request.cookies.get(_cookie(call.state["settings"], state), "")
    return unseal(call.state["vault"], sealed, Flow, id_of(state))


def send_back(settings: GatewaySettings, flow: Flow, state: str, **told: str) -> RedirectResponse:
    """To the page that asked, with something behind `#`: no server sees or logs that."""
    if flow.page_state:
        told["state"] = flow.page_state
    response = RedirectResponse(
        f"{flow.redirect_uri}#{urlencode(told, quote_via=quote)}", SEE_OTHER
    )
    response.delete_cookie(
        _cookie(settings, state), secure=_is_https(settings), httponly=True, samesite="lax"
    )
    return response


def make_code(vault: Any, proof: Proof) -> str:
    """The code for a page: good once, for a minute, with the verifier that only the page knows."""
    return seal(vault, proof, NO_PLACE)


async def take_code(
    call: Call[Any, Any], code: str, verifier: str, redirect_uri: str = ""
) -> Proof:
    """Who has signed in, by a page's code. Raises RefusedGrantError.

    One that comes again has been copied: what it has begun ends (RFC 6749, 4.1.2).
    """
    proof = unseal(call.state["vault"], code, Proof, NO_PLACE)
    if proof is None or redirect_uri not in {"", proof.redirect_uri}:
        raise RefusedGrantError(BAD_CODE, CODE)
    if not compare_digest(create_s256_code_challenge(verifier), proof.challenge):
        raise RefusedGrantError("The code was given to another page", CODE)
    async with connect(call.database) as connection:
        is_first = await take_once(connection, id_of("code", str(proof.id)), 2 * CODE_SECONDS)
        if not is_first and await end_copied(connection, proof.id, actor_of(call).said(COPIED)):
            call.state["revocations"].publish([proof.id])
    if not is_first:
        raise RefusedGrantError(BAD_CODE, CODE)
    return proof


def _cookie(settings: GatewaySettings, state: str) -> str:
    """A name for each sign-in, as a browser may have begun several.

    By its prefix no other host of the same site can set it (RFC 6265bis, 4.1.3.2).
    """
    prefix = "__Host-" if _is_https(settings) else ""
    return f"{prefix}genai-oidc-{id_of('cookie', state).hex[:16]}"


def _is_https(settings: GatewaySettings) -> bool:
    return (settings.public_url or "").startswith("https:")
