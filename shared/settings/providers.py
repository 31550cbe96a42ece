"""Providers of OpenID Connect: for each one variables of its own, `OIDC_<NAME>_…`."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen

from shared.settings.addresses import split_url
from shared.settings.readers import flag, limit
from shared.settings.reading import secret, setting

PREFIX = "OIDC_"
OPENID = "openid"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
NAME_CHARACTERS = 32
OUR_SCOPES = frozenset({"chat", "read", "agents", "admin"})
RESERVED = frozenset({"PASSWORD", "TOKEN"})  # a method of signing in, and a path

_name = re.compile(r"[A-Z][A-Z0-9_]*")


def is_secret_url(url: str) -> bool:
    """Whether nobody can read or change on the way what is sent there and comes from there."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def issuer(text: str) -> str:
    """As the provider writes it in its tokens: a slash at its end is part of it."""
    try:
        split_url(text)
    except ValueError:
        text = ""
    if not is_secret_url(text) or not {"?", "#", "@"}.isdisjoint(text):
        raise ValueError("must be an https URL without a query, as the provider calls itself")
    return text


def scopes(text: str) -> tuple[str, ...]:
    """Words with blanks between them, of which `openid` is one."""
    words = tuple(text.split())
    if OPENID not in words:
        raise ValueError(f"must be words with blanks between them, {OPENID} among them")
    return words


def unscoped(text: str) -> tuple[str, ...]:
    """Scopes of ours with blanks between them, or `none`."""
    words = () if text == "none" else tuple(text.split())
    if not set(words) <= OUR_SCOPES:
        raise ValueError(
            "must be some of chat, read, agents and admin, with blanks between, or none"
        )
    return words


def name_of_provider(text: str) -> str:
    """The name that stands in the variables, in small letters."""
    if not _name.fullmatch(text) or len(text) > NAME_CHARACTERS or text in RESERVED:
        raise ValueError(
            f"has no name for the provider: at most {NAME_CHARACTERS} capital letters, digits"
            " and _, a letter first, not PASSWORD or TOKEN"
        )
    return text.lower()


def _has_no_audience(values: Mapping[str, Any]) -> str | None:
    if not values["bearer"] or values.get("audience"):
        return None
    return "needs the AUDIENCE too: tokens for others are not for us"


def _is_of_client(values: Mapping[str, Any]) -> str | None:
    if values["audience"] != values.get("client_id"):
        return None
    return "must not be the CLIENT_ID: that is the audience of ID tokens, which open nothing"


@frozen(kw_only=True, slots=False)
class ProviderSettings:
    """One provider. Each field is the variable `OIDC_<NAME>_` and its name in capitals."""

    name: str
    issuer: str = setting(issuer)
    client_id: str = setting(str)
    client_secret: str | None = secret(str, default=None)
    title: str | None = setting(str, default=None)
    scopes: tuple[str, ...] = setting(scopes, default=(OPENID, "profile", "email"))
    name_claim: str = setting(str, default="preferred_username")
    groups_claim: str = setting(str, default="groups")
    admin_group: str | None = setting(str, default=None)
    bearer: bool = setting(flag, default=False, check=_has_no_audience)
    audience: str | None = setting(str, default=None, check=_is_of_client)
    scope_prefix: str | None = setting(str, default=None)
    unscoped: tuple[str, ...] = setting(unscoped, default=("chat", "read", "agents"))
    max_age: int = setting(limit, default=0)
    """Seconds since somebody has signed in there, when he comes from there; 0: any number."""
    untyped_logout: bool = setting(flag, default=False)


def objection_to_providers(
    providers: tuple[ProviderSettings, ...], others: Mapping[str, Any]
) -> str | None:
    """What is wrong with them together and with the other settings, or None."""
    issuers = [each.issuer for each in providers]
    twice = [each.name for each in providers if issuers.count(each.issuer) > 1]
    if twice:
        return f"{PREFIX}{twice[-1].upper()}_ISSUER is another provider's too"
    if providers and not others.get("public_url"):
        return "PUBLIC_URL is missing: providers send people back to it"
    if not providers and not others.get("password_login", True):
        return f"PASSWORD_LOGIN is false, and no {PREFIX}<NAME>_ISSUER says how else to sign in"
    return None
