"""Whom a user's client may ask, by the names that protocols of other front-ends give to models."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from attrs import frozen
from databases.core import Connection
from databases.interfaces import Record

from shared.codec.text import read_json
from shared.domain.agents import text_parameter
from shared.domain.flows import ASKED_MEMBERS_LIMIT

TARGETS_LIMIT = 500  # newest of each kind that are listed
LISTED_BYTES_LIMIT = 1024 * 1024  # of agents' schemas, and of flows' lists of members
FOUND_BYTES_LIMIT = 8 * 1024 * 1024  # of those of one flow: all that it may have

KINDS = "config", "flow", "agent"

type Kind = Literal["config", "flow", "agent"]


@frozen
class Target:
    """Who answers: the master agent with a model config, or an agent or flow itself."""

    kind: Kind
    id: UUID
    name: str
    """A config's name or an alias; of several things of one name a config is meant, then a flow."""
    description: str
    """What a flow or an agent says of itself, or which model a config names."""
    created_at: datetime

    @property
    def config_name(self) -> str | None:
        """As a question names it."""
        return self.name if self.kind == "config" else None

    @property
    def asked_id(self) -> UUID | None:
        """As a question names it."""
        return None if self.kind == "config" else self.id


async def list_targets(connection: Connection, owner: UUID) -> list[Target]:
    """All that this owner may ask now: configs, flows, then agents, of each kind the newest first.

    Flows and agents are active and take one text. Names differ.
    """
    named: dict[str, Target] = {}
    for target in _targets(await _select_rows(connection, owner, None)):
        named.setdefault(target.name, target)
    return [*named.values()]


async def find_target(connection: Connection, owner: UUID, name: str) -> Target | None:
    """Who is called so, or has this id; None: nobody who can be asked."""
    targets = _targets(await _select_rows(connection, owner, name))
    return next((target for target in targets if name in {target.name, str(target.id)}), None)


async def _select_rows(connection: Connection, owner: UUID, name: str | None) -> list[Record]:
    """Configs, flows and active agents; with a name those alone, and the agents of its flow."""
    sql = """
        WITH config AS (
            SELECT id, name, model, created_at FROM modelconfigs
            WHERE creator_id = :owner
              AND (CAST(:name AS text) IS NULL OR :name IN (name, CAST(id AS text)))
            ORDER BY created_at DESC, id LIMIT :limit
        ), flow AS (
            SELECT id, alias, description, flow, created_at,
                   sum(octet_length(CAST(flow AS text)))
                       OVER (ORDER BY created_at DESC, id) AS bytes
            FROM agentworkflows
            WHERE creator_id = :owner AND json_array_length(flow) <= :most_members
              AND (CAST(:name AS text) IS NULL OR :name IN (alias, CAST(id AS text)))
            ORDER BY created_at DESC, id LIMIT :limit
        ), agent AS (
            SELECT id, alias, description, created_at, CAST(input_parameters AS text) AS content,
                   sum(octet_length(CAST(input_parameters AS text)))
                       OVER (ORDER BY created_at DESC, id) AS bytes
            FROM agents
            WHERE creator_id = :owner AND is_active
              AND (CAST(:name AS text) IS NULL OR :name IN (alias, CAST(id AS text)) OR id IN (
                  SELECT CAST(member ->> 'id' AS uuid)
                  FROM flow CROSS JOIN LATERAL json_array_elements(flow) AS member
              ))
            ORDER BY created_at DESC, id LIMIT :limit
        )
        SELECT 'config' AS kind, id, name, model AS description, created_at, '' AS content
        FROM config
        UNION ALL
        SELECT 'flow', id, alias, description, created_at, CAST(flow AS text) FROM flow
        WHERE bytes <= :most_bytes
        UNION ALL
        SELECT 'agent', id, alias, description, created_at, content FROM agent
        WHERE bytes <= :most_bytes
    """
    values = {
        "owner": owner,
        "name": name,
        "limit": TARGETS_LIMIT,
        "most_members": ASKED_MEMBERS_LIMIT,
        "most_bytes": LISTED_BYTES_LIMIT if name is None else FOUND_BYTES_LIMIT,
    }
    return await connection.fetch_all(sql, values)


def _targets(rows: Iterable[Record]) -> list[Target]:
    """Those of the rows that can be asked, by kind, the newest first."""
    found: list[tuple[Target, str]] = [_read(row) for row in rows]
    found.sort(key=lambda each: each[0].created_at, reverse=True)
    found.sort(key=lambda each: KINDS.index(each[0].kind))
    agents = {
        str(target.id)
        for target, content in found
        if target.kind == "agent" and text_parameter(read_json(content)) is not None
    }
    return [target for target, content in found if _can_be_asked(target, content, agents)]


def _can_be_asked(target: Target, content: str, agents: set[str]) -> bool:
    match target.kind:
        case "flow":
            members: list[dict[str, Any]] = read_json(content)
            return bool(members) and all(
                each["type"] == "genai" and str(UUID(each["id"])) in agents for each in members
            )
        case "agent":
            return str(target.id) in agents
    return True


def _read(row: Record) -> tuple[Target, str]:
    kind, id_, name, description, created_at, content = row
    return Target(kind, id_, name, description, created_at), content
