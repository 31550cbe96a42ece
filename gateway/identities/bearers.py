"""What providers' own access tokens open: the account of the identity that they name.

Whoever a token names is looked up once; the next calls with it cost no query, until the identity
or its user is told to have ended or changed.
"""

import time
from collections import OrderedDict
from hashlib import sha256
from uuid import UUID

from attrs import frozen
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
from gateway.signins.revocations import Revocations
from gateway.web.callers import Caller, Credential
from shared.postgres.pool import connect, give_back

MOST_TOKENS = 4096


@frozen
class _Remembered:
    holder: Linked
    expires_at: float


class Bearers:
    """The tokens of those providers of which the settings say that they are taken."""

    def __init__(self, providers: Providers, revocations: Revocations) -> None:
        self._providers = providers
        self._is_used = any(each.settings.bearer for each in providers.all)
        self._revocations = revocations
        self._remembered: OrderedDict[bytes, _Remembered] = OrderedDict()
        self._unchanged: set[UUID] = set()
        self._told = 0
        if self._is_used:
            revocations.tell(self._note)

    async def find_caller(self, database: Database, token: str) -> Caller | None:
        """Whom a provider's token stands for; None: it is no good one, or nobody's here.

        It may give the task's connection back, where the provider has to be asked for a key.
        """
        if not self._is_used or len(token) > TOKEN_CHARACTERS:
            return None
        digest = sha256(token.encode(errors="surrogatepass")).digest()
        known = self._remembered.get(digest)
        if known is None or not self._holds(known):
            known = await self._look_up(database, digest, token)
        if known is None or known.expires_at <= time.time():
            return None
        self._remembered[digest] = known
        self._remembered.move_to_end(digest)
        while len(self._remembered) > MOST_TOKENS:
            self._remembered.popitem(last=False)
        holder = known.holder
        credential = Credential(holder.id, known.expires_at, ends_with_user=True)
        return Caller(holder.user_id, credential=credential)

    def _holds(self, known: _Remembered) -> bool:
        ids = {known.holder.id, known.holder.user_id}
        return self._revocations.is_fresh and ids <= self._unchanged

    async def _look_up(self, database: Database, digest: bytes, token: str) -> _Remembered | None:
        self._remembered.pop(digest, None)
        opened = await self._read(database, token)
        if opened is None:
            return None
        told = self._told
        async with connect(database) as connection:
            holder = await queries.select_holder(connection, opened.issuer, opened.subject)
            if holder is None or await self._revocations.is_over(connection, holder.id):
                return None
        if self._told == told:  # nothing has changed since it was read
            if len(self._unchanged) > 2 * MOST_TOKENS:
                self._unchanged.clear()
            self._unchanged |= {holder.id, holder.user_id}
        return _Remembered(holder, opened.expires_at)

    async def _read(self, database: Database, token: str) -> Opened | None:
        provider = self._providers.issuing(issuer_in(token))
        if provider is None or not provider.settings.bearer:
            return None
        try:
            await _expect_key(provider, database, token)
            return await read_access_token(provider, token)
        except (UntrustedError, UnreachableError):
            return None

    def _note(self, id_: UUID) -> None:
        self._told += 1
        self._unchanged.discard(id_)


async def _expect_key(provider: Provider, database: Database, token: str) -> None:
    """Have the key of a token known: who waits for a provider keeps no connection meanwhile."""
    if lacks_key_of(provider.now_known, token):
        await give_back(database)
        await provider.ask()
