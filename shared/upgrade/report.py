"""What taking over an installation would do, in lines for its operator; no line holds a secret."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from uuid import UUID

import attrs
import obstore
from attrs import frozen
from obstore.exceptions import BaseError
from psycopg import Connection, IsolationLevel

from shared.objects import open_store
from shared.settings.common import PostgresSettings
from shared.settings.installation import Settings
from shared.settings.reading import SettingsError, load_settings
from shared.upgrade.original import REVISION, TakeoverSettings, read_revision
from shared.upgrade.secrets import Outcome, open_keys, select_dead_tokens, select_foreign_keys

NAMED_LIMIT = 20  # ids that a line names

type CountRepairs = Callable[[Connection], dict[str, int]]
"""How many rows each repair would change, by what it repairs."""

ROWS = """
    SELECT 'users', count(*) FROM users
    UNION ALL SELECT 'agents', count(*) FROM agents
    UNION ALL SELECT 'flows', count(*) FROM agentworkflows
    UNION ALL SELECT 'chats', count(*) FROM chatconversations
    UNION ALL SELECT 'messages', count(*) FROM chatmessages
    UNION ALL SELECT 'log entries', count(*) FROM logs
    UNION ALL SELECT 'files', count(*) FROM files
    UNION ALL SELECT 'providers', count(*) FROM modelproviders
    UNION ALL SELECT 'model configs', count(*) FROM modelconfigs
    UNION ALL SELECT 'MCP servers', count(*) FROM mcpservers
    UNION ALL SELECT 'MCP tools', count(*) FROM mcptools
    UNION ALL SELECT 'A2A agents', count(*) FROM a2acards
"""

UNREACHABLE = """
    SELECT 'agents, flows, chats, files, providers, configs, servers or A2A agents without owner', (
        SELECT count(*) FROM (
            SELECT creator_id FROM agents UNION ALL SELECT creator_id FROM agentworkflows
            UNION ALL SELECT creator_id FROM chatconversations
            UNION ALL SELECT creator_id FROM files
            UNION ALL SELECT creator_id FROM modelproviders
            UNION ALL SELECT creator_id FROM modelconfigs
            UNION ALL SELECT creator_id FROM mcpservers UNION ALL SELECT creator_id FROM a2acards
        ) AS owned WHERE creator_id IS NULL
    )
    UNION ALL SELECT 'MCP tools without server', (
        SELECT count(*) FROM mcptools WHERE mcp_server_id IS NULL
    )
    UNION ALL SELECT 'model configs without a provider of the same owner', (
        SELECT count(*) FROM modelconfigs WHERE NOT EXISTS (
            SELECT FROM modelproviders AS provider
            WHERE provider.id = provider_id AND provider.creator_id = modelconfigs.creator_id
        )
    )
    UNION ALL SELECT 'messages without chat', (
        SELECT count(*) FROM chatmessages WHERE conversation_id IS NULL
    )
    UNION ALL SELECT 'log entries without chat, in which provider keys are not hidden', (
        SELECT count(*) FROM logs WHERE NOT EXISTS (
            SELECT FROM chatconversations AS chat WHERE chat.session_id = logs.session_id
        )
    )
"""


def _text(default: str | None = None) -> str | None:
    text: str | None = attrs.field(default=default, repr=False, metadata={"read": str})
    return text


@frozen(kw_only=True)
class GivenSettings(PostgresSettings):
    """What the report can use of settings that need not be complete."""

    secret_key: str | None = _text()
    original_secret_key: str | None = _text()
    default_files_folder_name: str | None = _text(
        attrs.fields(Settings).default_files_folder_name.default
    )
    files_url: str | None = _text()


def report(connection: Connection, count_repairs: CountRepairs) -> list[str]:
    """Look at the database and the files without changing them."""
    connection.set_read_only(True)
    connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    with connection.transaction():
        revision = read_revision(connection)
        if revision is None:
            return ["The original has not made this database: there is nothing to take over."]
        if revision != REVISION:
            return [f"It is at revision {revision}, and only {REVISION} can be taken over."]
        return list(_lines(connection, load_settings(GivenSettings), count_repairs))


def describe_outcome(outcome: Outcome) -> list[str]:
    """What was done to the secrets, as far as anything was."""
    closed = (
        "ORIGINAL_SECRET_KEY, or SECRET_KEY where it is not given, does not decrypt the keys of"
        f" providers {_named(outcome.undecryptable)}: they stay as they are"
    )
    lines = {
        f"{outcome.encrypted} provider keys encrypted anew": outcome.encrypted,
        f"in plain text were those of providers {_named(outcome.plain)}": outcome.plain,
        f"keys hidden in {outcome.redacted_logs} log entries": outcome.redacted_logs,
        closed: outcome.undecryptable,
        f"{outcome.new_tokens} agents got new tokens, to be given to them": outcome.new_tokens,
    }
    return [line for line, happened in lines.items() if happened]


def _lines(
    connection: Connection, settings: GivenSettings, count_repairs: CountRepairs
) -> Iterator[str]:
    yield f"A database of the original at revision {REVISION}."
    faults = _settings_faults()
    yield from _settings_lines(faults)
    yield from _counts(connection, "Rows, which all stay:", ROWS)
    yield "Duplicates: none; what has to be unique here is unique there."
    yield from _users(connection)
    yield from _agents(connection, None if "SECRET_KEY" in faults else settings.secret_key)
    yield from _providers(connection, settings)
    yield from _files(connection, settings)
    yield "To be repaired:"
    yield from (f"  {count} {what}" for what, count in count_repairs(connection).items())
    yield from _counts(connection, "Kept, but reached by nobody:", UNREACHABLE)


def _settings_faults() -> str:
    try:
        load_settings(TakeoverSettings)
    except SettingsError as faults:
        return str(faults)
    return ""


def _settings_lines(faults: str) -> Iterator[str]:
    if not faults:
        yield "Settings: complete."
        return
    yield f"Settings: {faults}. Nothing is taken over before they are complete."
    if "SECRET_KEY" in faults:
        yield (
            "  If the original's SECRET_KEY is refused, choose a new one, and give the old one"
            " as ORIGINAL_SECRET_KEY: agents then need the new tokens that they are issued."
        )


def _counts(connection: Connection, title: str, query: str) -> Iterator[str]:
    yield title
    yield from (f"  {count} {what}" for what, count in connection.execute(query.encode()))


def _users(connection: Connection) -> Iterator[str]:
    rows = connection.execute("""
        SELECT count(*) FILTER (WHERE password ~ '^\\$2[aby]\\$'),
               count(*) FILTER (WHERE password LIKE '$argon2id$%'), count(*)
        FROM users
    """)
    [(bcrypt, argon2, total)] = rows
    yield "Passwords:"
    yield f"  {bcrypt} are bcrypt's, each until its user logs in"
    yield f"  {argon2} are Argon2id's"
    yield f"  {total - bcrypt - argon2} are neither: their users can't log in"


def _agents(connection: Connection, secret_key: str | None) -> Iterator[str]:
    [(total,)] = connection.execute("SELECT count(*) FROM agents")
    dead = len(select_dead_tokens(connection, secret_key)) if secret_key else total
    yield "Agents' tokens:"
    yield f"  {total - dead} are good under SECRET_KEY and stay"
    yield f"  {dead} are not: a new one is stored, and has to be given to the agent"


def _providers(connection: Connection, settings: GivenSettings) -> Iterator[str]:
    keys = select_foreign_keys(connection)
    [(stored,)] = connection.execute("SELECT count(*) FROM modelproviders WHERE api_key <> ''")
    opened = list(open_keys(keys, settings.original_secret_key or settings.secret_key or ""))
    closed = [key.provider_id for key in opened if key.key is None]
    plain = [key.provider_id for key in opened if key.is_plain]
    yield "Provider keys:"
    yield f"  {len(keys) - len(closed)} will be encrypted anew, and hidden in their owners' logs"
    yield f"  {len(plain)} of them are in plain text{_ids(plain)}"
    yield (
        f"  {len(closed)} can't be decrypted with ORIGINAL_SECRET_KEY, or SECRET_KEY where it is"
        f" not given{_ids(closed)}"
    )
    yield f"  {stored - len(keys)} are encrypted with ENCRYPTION_KEYS already"


def _files(connection: Connection, settings: GivenSettings) -> Iterator[str]:
    place = settings.files_url or f"folder {settings.default_files_folder_name}"
    rows = connection.execute("SELECT id, internal_name FROM files ORDER BY id").fetchall()
    yield f"Files in {place}:"
    try:
        names = _stored_names(settings)
    except (BaseError, OSError) as fault:
        yield f"  it can't be read: {type(fault).__name__}"
        return
    missing = [id_ for id_, name in rows if name not in names]
    yield f"  {len(rows) - len(missing)} are there and stay where they are"
    yield f"  {len(missing)} are missing{_ids(missing)}"


def _stored_names(settings: GivenSettings) -> set[str]:
    folder = str(settings.default_files_folder_name)
    if settings.files_url is None and not Path(folder).is_dir():
        return set()
    store = open_store(folder, settings.files_url, mkdir=False)
    return {meta["path"] for chunk in obstore.list(store) for meta in chunk}


def _ids(ids: list[UUID]) -> str:
    return f": {_named(ids)}" if ids else ""


def _named(ids: Iterable[UUID]) -> str:
    texts = [str(id_) for id_ in ids]
    more = [f"and {len(texts) - NAMED_LIMIT} more"] if len(texts) > NAMED_LIMIT else []
    return ", ".join([*texts[:NAMED_LIMIT], *more])
