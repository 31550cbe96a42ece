"""The original's secrets in our form: provider keys encrypted anew, agents' tokens issued anew.

What is in our form already is left, so that all of it can be interrupted and run again.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import groupby
from uuid import UUID

from attrs import define, field, frozen
from psycopg import Connection

from shared.domain.options import CREDENTIALS, METADATA, open_options
from shared.secrets import (
    UndecryptableError,
    Vault,
    forms_of,
    hide,
    is_sealed,
    named_secrets,
)
from shared.tokens import Claims, has_expired, issue_agent_token, read_token, restore_token
from shared.upgrade.original import decrypt_original_key, is_original_key

THREADS = 4
BATCH_ROWS = 1000


@frozen
class StoredKey:
    """A provider's key that is not in our form."""

    provider_id: UUID
    owner: UUID | None
    stored: str = field(repr=False)

    @property
    def is_plain(self) -> bool:
        """Whether it was never encrypted."""
        return not is_original_key(self.stored)


@frozen
class OpenedKey(StoredKey):
    """That key, None where it can't be decrypted."""

    key: str | None = field(repr=False)


@define
class Outcome:
    """What was done, by providers, log entries and agents."""

    encrypted: int = 0
    plain: list[UUID] = field(factory=list)
    undecryptable: list[UUID] = field(factory=list)
    redacted_logs: int = 0
    new_tokens: int = 0


def take_over_secrets(
    connection: Connection, vault: Vault, old_secret: str, secret_key: str
) -> Outcome:
    """Bring keys and tokens into our form; the connection commits by itself."""
    outcome = Outcome()
    opened = open_keys(select_foreign_keys(connection), old_secret)
    for owner, keys in groupby(opened, key=lambda key: key.owner):
        _take_over_keys(connection, vault, owner, list(keys), outcome)
    outcome.new_tokens = _renew_tokens(connection, secret_key)
    return outcome


def select_foreign_keys(connection: Connection) -> list[StoredKey]:
    """The keys that are not in our form, those of an owner together."""
    rows = connection.execute("""
        SELECT id, creator_id, api_key FROM modelproviders
        WHERE api_key <> '' ORDER BY creator_id, id
    """)
    return [StoredKey(*row) for row in rows if not is_sealed(row[2])]


def open_keys(keys: list[StoredKey], old_secret: str) -> Iterator[OpenedKey]:
    """Decrypt keys in a few threads, in their order."""
    pool = ThreadPoolExecutor(THREADS, "scrypt")
    try:
        yield from pool.map(partial(_open, old_secret), keys)
    finally:
        pool.shutdown(cancel_futures=True)


def select_dead_tokens(connection: Connection, secret_key: str) -> list[tuple[UUID, UUID, str]]:
    """Agents, their creators and stored tokens, where SECRET_KEY does not verify the token.

    One that has expired is no such token: it was to end. Nor is one that is stored without its
    signature, as that is made when it is shown.
    """
    rows = connection.execute("""
        SELECT id, creator_id, jwt FROM agents WHERE creator_id IS NOT NULL ORDER BY id
    """)
    return [
        (id_, creator, stored)
        for id_, creator, stored in rows
        if _is_dead(secret_key, Claims(creator, id_), stored)
    ]


def _is_dead(secret_key: str, agent: Claims, stored: str) -> bool:
    assert agent.agent_id is not None
    token = restore_token(secret_key, agent.user_id, agent.agent_id, stored)
    return read_token(secret_key, token) != agent and not has_expired(secret_key, token)


def _open(old_secret: str, key: StoredKey) -> OpenedKey:
    place = key.provider_id, key.owner, key.stored
    if key.is_plain:
        return OpenedKey(*place, key.stored)
    try:
        return OpenedKey(*place, decrypt_original_key(key.stored, old_secret))
    except UndecryptableError:
        return OpenedKey(*place, None)


def _take_over_keys(
    connection: Connection,
    vault: Vault,
    owner: UUID | None,
    keys: list[OpenedKey],
    outcome: Outcome,
) -> None:
    """Hide an owner's keys in log entries, then encrypt them: in one transaction.

    So a key in our form has been hidden, and needs no note that it was.
    """
    readable = [key for key in keys if key.key is not None]
    outcome.undecryptable += [key.provider_id for key in keys if key.key is None]
    with connection.transaction():
        if owner is not None and readable:
            secrets = {key.key for key in readable if key.key}
            secrets |= set(_select_named_secrets(connection, vault, owner))
            outcome.redacted_logs += _redact_logs(connection, owner, secrets)
        for key in readable:
            _update_key(connection, vault, key)
    outcome.plain += [key.provider_id for key in readable if key.is_plain]
    outcome.encrypted += len(readable)


def _update_key(connection: Connection, vault: Vault, key: OpenedKey) -> None:
    """Store an opened key in our form; an empty one becomes none."""
    sealed = None
    if key.key:
        sealed = vault.encrypt(key.key, "modelproviders", key.provider_id, "api_key")
    connection.execute(
        "UPDATE modelproviders SET api_key = %s WHERE id = %s AND api_key = %s",
        [sealed, key.provider_id, key.stored],
    )


def _select_named_secrets(connection: Connection, vault: Vault, owner: UUID) -> Iterator[str]:
    """What else the master agent was given, by the names of credentials and metadata."""
    rows: list[tuple[bool, UUID, object]] = connection.execute(
        """
        SELECT true, id, provider_metadata FROM modelproviders WHERE creator_id = %(owner)s
        UNION ALL
        SELECT false, id, credentials FROM modelconfigs WHERE creator_id = %(owner)s
        """,
        {"owner": owner},
    ).fetchall()
    for is_metadata, id_, stored in rows:
        column = METADATA if is_metadata else CREDENTIALS
        with suppress(UndecryptableError):  # nor could it have been given
            yield from named_secrets(open_options(vault, column, id_, stored))


def _redact_logs(connection: Connection, owner: UUID, secrets: set[str]) -> int:
    """Hide secrets in the original's entries of the owner's sessions, and count those changed.

    The entries are searched here and not by PostgreSQL, whose log might show the secrets.
    """
    forms, count = forms_of(secrets), 0
    with connection.cursor(name="to_redact") as reading, connection.cursor() as writing:
        reading.execute(
            """
            SELECT message, id FROM logs JOIN chatconversations USING (session_id)
            WHERE chatconversations.creator_id = %s AND seq IS NULL
            """,
            [owner],
        )
        while rows := reading.fetchmany(BATCH_ROWS):
            hidden = [(hide(message, forms), id_) for message, id_ in rows]
            changed = [new for new, old in zip(hidden, rows, strict=True) if new != old]
            writing.executemany("UPDATE logs SET message = %s WHERE id = %s", changed)
            count += len(changed)
    return count


def _renew_tokens(connection: Connection, secret_key: str) -> int:
    """Give agents a token that lives where the stored one is dead, and count them."""
    dead = select_dead_tokens(connection, secret_key)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE agents SET jwt = %s WHERE id = %s AND jwt = %s",
            [(issue_agent_token(secret_key, id_, owner), id_, old) for id_, owner, old in dead],
        )
    return len(dead)
