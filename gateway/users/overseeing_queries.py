"""Users' sign-ins, API keys, requests and agents in PostgreSQL, for administrators."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from attrs import frozen
from databases.core import Connection

from gateway.users.overseeing import UserAgent, UserKey, UserRequest, UserSignIn
from gateway.web.paging import Page, Slice, select_page
from shared.postgres.rows import builder


@frozen(kw_only=True)
class WantedRequests:
    """Which requests to list: of all users and chats where none is named."""

    owner: UUID | None
    session_id: UUID | None
    statuses: Sequence[str]
    since: timedelta | None = None


async def select_sign_ins(
    connection: Connection, owner: UUID | None, part: Slice
) -> Page[UserSignIn]:
    """Those that go on, of a user or of all, the one that was used last first."""
    sql = """
        SELECT sign_ins.id, username, method, device, address, sign_ins.created_at, used_at,
               expires_at, 1024 AS bytes
        FROM sign_ins JOIN users ON users.id = user_id
        WHERE ended_at IS NULL AND expires_at > now()
          AND (CAST(:owner AS uuid) IS NULL OR user_id = :owner)
        ORDER BY used_at DESC, sign_ins.id LIMIT :limit OFFSET :offset
    """
    return await select_page(connection, sql, {"owner": owner}, part, builder(UserSignIn))


async def select_keys(connection: Connection, owner: UUID | None, part: Slice) -> Page[UserKey]:
    """Those of a user or of all, newest first."""
    sql = """
        SELECT api_keys.id, username, name, start, scopes, networks, api_keys.created_at,
               expires_at, used_at, used_address, 1024 AS bytes
        FROM api_keys JOIN users ON users.id = user_id
        WHERE CAST(:owner AS uuid) IS NULL OR user_id = :owner
        ORDER BY api_keys.created_at DESC, api_keys.id LIMIT :limit OFFSET :offset
    """
    return await select_page(connection, sql, {"owner": owner}, part, builder(UserKey))


async def select_requests(
    connection: Connection, wanted: WantedRequests, part: Slice
) -> Page[UserRequest]:
    """Requests of these statuses, newest first."""
    sql = """
        SELECT requests.id AS request_id, username, session_id, status, requests.created_at,
               sent_at, ended_at, deadline, bridge_id, error,
               512 + coalesce(octet_length(error), 0) AS bytes
        FROM requests JOIN users ON users.id = creator_id
        WHERE status = ANY(CAST(:statuses AS text[]))
          AND (CAST(:owner AS uuid) IS NULL OR creator_id = :owner)
          AND (CAST(:session_id AS uuid) IS NULL OR session_id = :session_id)
          AND (CAST(:since AS interval) IS NULL OR requests.created_at > now() - :since)
        ORDER BY position DESC LIMIT :limit OFFSET :offset
    """
    values = {
        "owner": wanted.owner,
        "session_id": wanted.session_id,
        "statuses": list(wanted.statuses),
        "since": wanted.since,
    }
    return await select_page(connection, sql, values, part, builder(UserRequest))


async def select_request_owner(connection: Connection, request_id: UUID) -> UUID | None:
    """Whose request it is; None: there is none."""
    sql = "SELECT creator_id FROM requests WHERE id = :id"
    owner: UUID | None = await connection.fetch_val(sql, {"id": request_id})
    return owner


async def select_agents(
    connection: Connection, owner: UUID | None, part: Slice, *, only_connected: bool
) -> Page[UserAgent]:
    """Agents, or those of a user, those that changed last first."""
    sql = """
        SELECT agents.id AS agent_id, alias, username, is_active AS is_connected,
               CASE WHEN is_active AND alive_until > now() THEN 'door'
                    WHEN is_active THEN 'router' END AS via,
               bridge_id, connected_at, agents.updated_at, 512 AS bytes
        FROM agents
        JOIN users ON users.id = creator_id
        LEFT JOIN door_connections ON agent_id = agents.id
        LEFT JOIN doors USING (bridge_id)
        WHERE (CAST(:owner AS uuid) IS NULL OR creator_id = :owner)
          AND (is_active OR NOT CAST(:only_connected AS boolean))
        ORDER BY agents.updated_at DESC, agents.id LIMIT :limit OFFSET :offset
    """
    values = {"owner": owner, "only_connected": only_connected}
    return await select_page(connection, sql, values, part, builder(UserAgent))
