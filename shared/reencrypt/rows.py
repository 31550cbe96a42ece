"""Going through the tables: some rows at a time, so that nobody waits for it and it can be killed.

What is in its newest form is passed over, so it needs no note of how far it came.
"""

import asyncio
from collections.abc import Callable
from time import monotonic
from uuid import UUID

from attrs import define, field
from databases import Database

from shared.codec.text import write_json
from shared.domain import options
from shared.domain.headers import HeadersTable, open_headers, seal_headers
from shared.postgres.pool import connect, transaction
from shared.reencrypt.queries import (
    CREDENTIALS,
    GRANTS,
    HEADERS_OF_AGENTS,
    HEADERS_OF_SERVERS,
    KINDS,
    METADATA,
    PROVIDER_KEYS,
    TOKENS,
    Kind,
    StoredSecret,
    begin_sealing,
    count_left,
    lock_some,
    update_some,
)
from shared.secrets import UndecryptableError, Vault
from shared.tokens import names_agent, without_signature

BATCH = 200  # rows of a transaction
ALL = 2**62
LAST = 2**128 - 1  # as an id
PATIENCE_SECONDS = 60.0  # for rows that others hold
PAUSE_SECONDS = 0.2
TELL_SECONDS = 2.0

type Renew = Callable[[Vault, StoredSecret], str]


@define
class Outcome:
    """What was brought to its newest form, and what was not, in sentences."""

    renewed: dict[str, int] = field(factory=dict)
    unreadable: list[str] = field(factory=list)
    held: list[str] = field(factory=list)


async def reencrypt(database: Database, vault: Vault, tell: Callable[[str], None]) -> Outcome:
    """Bring all secrets to their newest form, and have the services store them so from now on.

    Raises DatabaseAwayError; what was done until then stays.
    """
    async with connect(database) as connection:
        await begin_sealing(connection)
    outcome = Outcome()
    for kind in KINDS:
        await _Walk(database, vault, kind, tell).run(outcome)
    return outcome


def _renew_text(kind: Kind) -> Renew:
    def renew(vault: Vault, secret: StoredSecret) -> str:
        place = kind.table, secret.id, kind.column
        return vault.encrypt(vault.decrypt(str(secret.stored), *place), *place)

    return renew


def _renew_options(column: options.OptionsColumn) -> Renew:
    def renew(vault: Vault, secret: StoredSecret) -> str:
        opened = options.open_options(vault, column, secret.id, secret.stored)
        return write_json(options.seal_options(vault, column, secret.id, opened)).decode()

    return renew


def _renew_headers(table: HeadersTable) -> Renew:
    def renew(vault: Vault, secret: StoredSecret) -> str:
        assert isinstance(secret.stored, dict)
        opened = open_headers(vault, table, secret.id, secret.stored)
        return write_json(seal_headers(vault, table, secret.id, opened)).decode()

    return renew


def _renew_token(_vault: Vault, secret: StoredSecret) -> str:
    token = str(secret.stored)
    if not names_agent(token, secret.owner, secret.id):
        raise UndecryptableError(f"agents.jwt of {secret.id} is not its token")
    return without_signature(token)


RENEW: dict[Kind, Renew] = {
    PROVIDER_KEYS: _renew_text(PROVIDER_KEYS),
    METADATA: _renew_options(options.METADATA),
    CREDENTIALS: _renew_options(options.CREDENTIALS),
    TOKENS: _renew_token,
    HEADERS_OF_SERVERS: _renew_headers("mcpservers"),
    HEADERS_OF_AGENTS: _renew_headers("a2acards"),
    GRANTS: _renew_text(GRANTS),
}


@define
class _Walk:
    """Through the secrets of a kind, again while others hold some of them."""

    database: Database
    vault: Vault
    kind: Kind
    tell: Callable[[str], None]
    renewed: int = 0
    unreadable: dict[UUID, str] = field(factory=dict)
    told_at: float = field(factory=monotonic)

    async def run(self, outcome: Outcome) -> None:
        total, deadline = await self._count_left(), monotonic() + PATIENCE_SECONDS
        while True:
            before = self.renewed
            await self._go_through(total)
            held = await self._count_left() - len(self.unreadable)
            if held <= 0 or monotonic() > deadline:
                break
            if self.renewed == before:
                self._tell_seldom(f"waiting for {held} {self.kind.what} that others hold")
                await asyncio.sleep(PAUSE_SECONDS)
        outcome.renewed[self.kind.what] = self.renewed
        outcome.unreadable += self.unreadable.values()
        if held > 0:
            outcome.held.append(f"{held} {self.kind.what} are held by others")

    async def _go_through(self, total: int) -> None:
        begin, found = 0, BATCH
        self.unreadable.clear()
        while found == BATCH:
            async with connect(self.database) as connection, transaction(connection):
                some = await lock_some(
                    connection, self.kind, self.vault.newest, UUID(int=begin), BATCH
                )
                if renewed := self._renew(some):
                    await update_some(connection, self.kind, [*renewed], [*renewed.values()])
            found = len(some)
            if some:
                begin = min(some[-1].id.int + 1, LAST)
            self.renewed += len(renewed)
            self._tell_seldom(f"{self.renewed} of {total} {self.kind.what}")

    def _renew(self, some: list[StoredSecret]) -> dict[UUID, str]:
        renewed: dict[UUID, str] = {}
        for secret in some:
            try:
                renewed[secret.id] = RENEW[self.kind](self.vault, secret)
            except UndecryptableError as reason:
                self.unreadable[secret.id] = str(reason)
        return renewed

    async def _count_left(self) -> int:
        async with connect(self.database) as connection:
            return await count_left(connection, self.kind, self.vault.newest, ALL)

    def _tell_seldom(self, text: str) -> None:
        if monotonic() - self.told_at > TELL_SECONDS:
            self.told_at = monotonic()
            self.tell(text)
