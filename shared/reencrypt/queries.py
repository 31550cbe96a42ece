"""The statements about the form in which secrets are stored."""

from collections.abc import Sequence
from uuid import UUID

from attrs import field, frozen
from databases.core import Connection

from shared.codec.text import write_json
from shared.postgres.pool import columns


@frozen
class Kind:
    """Secrets in a column: `needs` says in SQL which are not in the form of the newest key.

    `:newest` is what that key's ciphertexts begin with.
    """

    what: str
    table: str
    column: str
    type: str
    needs: str = field(repr=False)


@frozen
class StoredSecret:
    """A secret as it is stored, and whose row that is."""

    id: UUID
    owner: UUID | None
    stored: object = field(repr=False)


def _options(what: str, table: str, column: str) -> Kind:
    needs = f"""
        CAST({column} AS text) <> '{{}}'
        AND NOT (json_typeof({column}) = 'string' AND starts_with({column} #>> '{{}}', :newest))
    """
    return Kind(what, table, column, "json", needs)


PROVIDER_KEYS = Kind(
    "provider keys",
    "modelproviders",
    "api_key",
    "text",
    "api_key <> '' AND NOT starts_with(api_key, :newest)",
)
METADATA = _options("metadata", "modelproviders", "provider_metadata")
CREDENTIALS = _options("credentials", "modelconfigs", "credentials")


def _headers(what: str, table: str) -> Kind:
    needs = """
        EXISTS (SELECT FROM json_each_text(headers) WHERE NOT starts_with(value, :newest))
    """
    return Kind(what, table, "headers", "json", needs)


HEADERS_OF_SERVERS = _headers("headers of MCP servers", "mcpservers")
HEADERS_OF_AGENTS = _headers("headers of A2A agents", "a2acards")
GRANTS = Kind(
    "grants of MCP servers",
    "mcpservers",
    "oauth",
    "text",
    "oauth IS NOT NULL AND NOT starts_with(oauth, :newest)",
)
TOKENS = Kind("tokens", "agents", "jwt", "text", "jwt LIKE '%.%.%'")
KINDS = (
    PROVIDER_KEYS,
    METADATA,
    CREDENTIALS,
    TOKENS,
    HEADERS_OF_SERVERS,
    HEADERS_OF_AGENTS,
    GRANTS,
)


# For the audit log: the secrets stay what they are.
_AUDITED = ("provider", "config_credentials", "mcp_credentials", "a2a_credentials")
ACTOR = {"via": "command", "as": {f"{what}.changed": "secret.reencrypted" for what in _AUDITED}}


async def select_has_begun(connection: Connection) -> bool:
    """Whether all services can read options that are encrypted, and tokens without signatures."""
    return bool(await connection.fetch_val("SELECT EXISTS (SELECT FROM sealing)"))


async def begin_sealing(connection: Connection) -> None:
    """Note that they can."""
    sql = "INSERT INTO sealing (since) SELECT now() WHERE NOT EXISTS (SELECT FROM sealing)"
    await connection.execute(sql)


async def count_left(connection: Connection, kind: Kind, newest: str, most: int) -> int:
    """How many are not in that form; where there are more than `most`, so many."""
    sql = f"""
        SELECT count(*) FROM (
            SELECT FROM {kind.table} WHERE {kind.needs} LIMIT :most
        ) AS counted
    """  # noqa: S608 (constants of ours)
    return int(await connection.fetch_val(sql, {"newest": newest, "most": most}))


async def lock_some(
    connection: Connection, kind: Kind, newest: str, begin: UUID, limit: int
) -> list[StoredSecret]:
    """Some that are not in that form, from this id on; those that others hold are left out."""
    sql = f"""
        SELECT id, creator_id AS owner, {kind.column} AS stored FROM {kind.table}
        WHERE id >= :begin AND {kind.needs}
        ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
    """  # noqa: S608 (constants of ours)
    values = {"newest": newest, "begin": begin, "limit": limit}
    return [StoredSecret(**columns(row)) for row in await connection.fetch_all(sql, values)]


async def update_some(
    connection: Connection, kind: Kind, ids: Sequence[UUID], renewed: Sequence[str]
) -> None:
    """Store these secrets in their new form; of a JSON column, its JSON text."""
    sql = f"""
        UPDATE {kind.table} AS old SET {kind.column} = CAST(renewed.stored AS {kind.type})
        FROM unnest(CAST(:ids AS uuid[]), CAST(:renewed AS text[])) AS renewed (id, stored)
        WHERE old.id = renewed.id AND set_config('genai.actor', :actor, true) IS NOT NULL
    """  # noqa: S608 (constants of ours)
    values = {"ids": ids, "renewed": renewed, "actor": write_json(ACTOR).decode()}
    await connection.execute(sql, values)
