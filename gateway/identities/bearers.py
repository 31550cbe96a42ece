"""What providers' own access tokens open: the account of the identity that they name.

Whoever a token names is looked up once; the next calls with it cost no query.
"""

import time
from hashlib import sha256
from uuid import UUID

from attrs import define
from databases import Database

from gateway.identities import queries
from gateway.identities.providers import Provider, Providers
from gateway.identities.queries import Linked
from gateway.identities.tokens import (
    TOKEN_CHARACTERS,
    Opened,
    UntrustedError,
    issuer_in,
    lacks_key_of,
    read_access_token,
)
from gateway.remote.errors import UnreachableError
from gateway.signins.remembered import Remembered
from gateway.signins.revocations import Revocations
from gateway.web.callers import Caller, Credential
from shared.postgres.pool import connect, give_back
from shared.secrets import id_of

MOST_TOKENS = 4096


@define(eq=False)
class _Known:
    """A token, and whom it stands for."""

    caller: Caller
    is_dropped: bool = False


class Bearers:
    """The tokens of those providers of which the settings say that they are taken."""

    def __init__(self, providers: Providers, revocations: Revocations) -> None:
        self._providers = providers
        self._is_used = any(each.settings.bearer for each in providers.all)
        self._known: Remembered[_Known] = Remembered(revocations, MOST_TOKENS)

    async def find_caller(self, database: Database, token: str) -> Caller | None:
        """Whom a provider's token stands for; None: it is no good one, or nobody's here.

        It may give the task's connection back, where the provider has to be asked for a key.
        """
        if not self._is_used or len(token) > TOKEN_CHARACTERS:
            return None
        digest = sha256(token.encode(errors="surrogatepass")).digest()
        known = self._known.find(digest) or await self._look_up(database, digest, token)
        if known is None or known.caller.credential.expires_at <= time.time():
            return None
        return known.caller

    async def _look_up(self, database: Database, digest: bytes, token: str) -> _Known | None:
        self._known.forget(digest)
        opened = await self._read(database, token)
        if opened is None:
            return None
        told = self._known.told
        async with connect(database) as connection:
            holder = await queries.select_holder(connection, opened)
        if holder is None:
            return None
        known = _make(opened, holder)
        self._known.keep(digest, known, told)
        return known

    async def _read(self, database: Database, token: str) -> Opened | None:
        provider = self._providers.issuing(issuer_in(token))
        if provider is None or not provider.settings.bearer:
            return None
        try:
            await _expect_key(provider, database, token)
            return await read_access_token(provider, token)
        except (UntrustedError, UnreachableError):
            return None


def told_as_logged_out(identity_id: UUID) -> UUID:
    """By which is told that the tokens which a provider has given somebody before are over.

    Not by the id of the identity: later ones are good.
    """
    return id_of("logged out", str(identity_id))


def _make(opened: Opened, holder: Linked) -> _Known:
    credential = Credential(
        holder.id,
        opened.expires_at,
        lambda: known.is_dropped,
        hangs_on=[holder.user_id, told_as_logged_out(holder.id)],
    )
    caller = Caller(holder.user_id, credential=credential, scopes=opened.scopes)
    known = _Known(caller)
    return known


async def _expect_key(provider: Provider, database: Database, token: str) -> None:
    """Have the key of a token known: who waits for a provider keeps no connection meanwhile."""
    if lacks_key_of(provider.now_known, token):
        await give_back(database)
        await provider.ask()
