"""Flows in PostgreSQL; which are active is asked by `shared/domain/flows.py`, for both services."""

from uuid import UUID, uuid4

from attrs import frozen
from databases.core import Connection
from databases.interfaces import Record

from gateway.flows.schemas import ListedFlow, Member, StoredFlow
from gateway.web.paging import Page, Slice, select_one, select_page
from gateway.web.quotas import Quota
from gateway.web.told import Told
from gateway.web.usable import listed
from shared.codec.converter import unstructure
from shared.domain.flows import ACTIVE_FLOWS, MEMBERS
from shared.postgres.pool import columns

FLOWS = Quota(
    "agent flows",
    lambda settings: settings.flows_per_user,
    "SELECT count(*) FROM agentworkflows WHERE creator_id = :owner",
)


@frozen
class FlowContent:
    """What to store of a flow; its members were found to be active."""

    name: str
    alias: str
    description: str
    flow: list[Member]


async def select_flows(
    connection: Connection, owner: UUID, part: Slice, *, shared: bool = False
) -> Page[ListedFlow]:
    """The owner's flows, or those that others share with him, newest first."""
    sql = _statement(
        listed("flows", shared=shared), "(creator_id <> :owner) = CAST(:shared AS boolean)"
    )
    values = {"owner": owner, "shared": shared}
    return await select_page(connection, sql, values, part, TOLD, joined=JOINED)


async def select_flow(connection: Connection, owner: UUID, id_: UUID) -> ListedFlow | None:
    """One of the owner's flows, or of those that others share with him."""
    sql, values = _statement("usable_flow(:owner, :id)", "true"), {"owner": owner, "id": id_}
    flow: ListedFlow | None = await select_one(connection, sql, values, TOLD, joined=JOINED)
    return flow


def _statement(usable: str, wanted: str) -> str:
    """Selects the flows that are wanted, of those that the owner may use."""
    return f"""
        SELECT id, name, description, flow AS members, created_at, updated_at, creator_id,
               CASE WHEN creator_id <> :owner
                   THEN (SELECT username FROM users WHERE users.id = creator_id) END AS owner,
               CASE WHEN creator_id <> :owner THEN true END AS shared,
               400 + octet_length(description) + octet_length(CAST(flow AS text)) AS bytes
        FROM {usable} AS flows WHERE {wanted}
        ORDER BY created_at DESC, id LIMIT :limit OFFSET :offset
    """  # noqa: S608 (statements of ours)


# Members are told as they are stored.
TOLD = Told(
    ListedFlow,
    texts={"flow": "CAST(members AS text)", "is_active": "CAST(flow_id IS NOT NULL AS text)"},
)
JOINED = f"""
    LEFT JOIN (
        WITH flow AS (SELECT id, creator_id, members FROM told), {MEMBERS}, {ACTIVE_FLOWS}
        SELECT flow_id FROM active_flow
    ) AS active_flow ON flow_id = told.id
"""  # noqa: S608 (statements of ours)


async def insert_flow(connection: Connection, owner: UUID, content: FlowContent) -> StoredFlow:
    """The new flow. Nobody reads its column `is_active`: whether it is changes with its members."""
    sql = """
        INSERT INTO agentworkflows (id, name, alias, description, flow, creator_id, is_active)
        VALUES (:id, :name, :alias, :description, :flow, :owner, true)
        RETURNING id, name, alias, description, creator_id, created_at, updated_at
    """
    values = {"id": uuid4(), "owner": owner, **unstructure(content)}
    row = await connection.fetch_one(sql, values)
    assert row is not None
    return _stored(row, content)


async def update_flow(
    connection: Connection, owner: UUID, id_: UUID, content: FlowContent
) -> StoredFlow | None:
    """The owner's flow after the change; the alias stays while the name stays."""
    sql = """
        UPDATE agentworkflows
        SET alias = CASE WHEN name = :name THEN alias ELSE :alias END,
            name = :name, description = :description, flow = :flow, updated_at = now()
        WHERE creator_id = :owner AND id = :id
        RETURNING id, name, alias, description, creator_id, created_at, updated_at
    """
    values = {"id": id_, "owner": owner, **unstructure(content)}
    row = await connection.fetch_one(sql, values)
    return _stored(row, content) if row else None


async def delete_flow(connection: Connection, owner: UUID, id_: UUID) -> bool:
    """Whether there was such a flow of the owner's."""
    sql = "DELETE FROM agentworkflows WHERE creator_id = :owner AND id = :id RETURNING id"
    return await connection.fetch_one(sql, {"owner": owner, "id": id_}) is not None


def _stored(row: Record, content: FlowContent) -> StoredFlow:
    return StoredFlow(**columns(row), flow=content.flow, is_active=True)
