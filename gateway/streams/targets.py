"""Whom a user's client may ask, by the names that protocols of other front-ends give to models."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, Literal
from uuid import UUID

from attrs import field, frozen
from databases.core import Connection
from databases.interfaces import Record

from shared.codec.text import read_json
from shared.domain.agents import parameters_of, text_parameter
from shared.domain.flows import ASKED_MEMBERS_LIMIT

TARGETS_LIMIT = 500  # newest of each kind that are listed
LISTED_BYTES_LIMIT = 1024 * 1024  # of agents' schemas and flows' members, with descriptions
FOUND_BYTES_LIMIT = 8 * 1024 * 1024  # of those of one flow: all that it may have

KINDS = "config", "flow", "agent"

ITSELF = KINDS[1:]  # those that are asked themselves
MEMBER = "member"  # an agent that is only read because a flow has it

type Kind = Literal["config", "flow", "agent"]


@frozen
class Askable:
    """Who answers: the master agent with a model config, or an agent or flow itself."""

    kind: Kind
    id: UUID
    name: str

    @property
    def config_name(self) -> str | None:
        """As a question names it."""
        return self.name if self.kind == "config" else None

    @property
    def asked_id(self) -> UUID | None:
        """As a question names it."""
        return None if self.kind == "config" else self.id


@frozen
class Target(Askable):
    """It as clients find it.

    The name is a config's or an alias; of several things of one name a config is meant, then a
    flow. A config that another user shares has `@` and his name behind its own.
    """

    description: str
    """What a flow or an agent says of itself, or which model a config names."""
    created_at: datetime
    parameters: dict[str, Any] = field(factory=dict, repr=False)
    """What an agent, or the first of a flow, says that it is called with: a JSON schema."""
    text_parameter: str | None = None
    """The parameter of these that takes a text, where one text is all that is wanted."""

    @property
    def takes_text(self) -> bool:
        """Whether a text is enough to ask it."""
        return self.kind == "config" or self.text_parameter is not None


async def list_targets(connection: Connection, owner: UUID) -> list[Target]:
    """All that this owner may ask now: configs, flows, then agents, of each kind the newest first.

    Flows and agents are active and take one text. Names differ.
    """
    named: dict[str, Target] = {}
    for target in _targets(await _select_rows(connection, owner, None)):
        if target.takes_text:
            named.setdefault(target.name, target)
    return [*named.values()]


async def list_callable(connection: Connection, owner: UUID) -> list[Target]:
    """The active flows and agents, whatever they take, in the same order; names may be the same."""
    found = _targets(await _select_rows(connection, owner, None))
    return [target for target in found if target.kind in ITSELF]


async def find_target(connection: Connection, owner: UUID, name: str) -> Target | None:
    """Who is called so, or has this id; None: nobody who can be asked with a text."""
    targets = await _find(connection, owner, name, KINDS)
    return next((target for target in targets if target.takes_text), None)


async def find_callable(connection: Connection, owner: UUID, name: str) -> Target | None:
    """Which active flow or agent is called so, or has this id, whatever it takes."""
    return next(iter(await _find(connection, owner, name, ITSELF)), None)


async def find_config(connection: Connection, owner: UUID, name: str) -> Target | None:
    """Which model config is called so, or has this id."""
    return next(iter(await _find(connection, owner, name, ["config"])), None)


async def _find(
    connection: Connection, owner: UUID, name: str, kinds: Sequence[str]
) -> list[Target]:
    found = _targets(await _select_rows(connection, owner, name))
    return [each for each in found if each.kind in kinds and name in {each.name, str(each.id)}]


async def _select_rows(connection: Connection, owner: UUID, name: str | None) -> list[Record]:
    """Configs, flows and active agents that the owner may use; with a name those alone.

    And the agents of flows where they are not among them: as `member`, for these are not listed.
    """
    sql = """
        WITH config AS (
            SELECT id, shown AS name, model, created_at
            FROM usable_configs(:owner) AS config CROSS JOIN LATERAL (
                SELECT CASE WHEN creator_id = :owner THEN name ELSE concat(name, '@', (
                    SELECT username FROM users WHERE users.id = creator_id
                )) END AS shown
            ) AS named
            WHERE CAST(:name AS text) IS NULL OR :name IN (shown, CAST(id AS text))
            ORDER BY creator_id <> :owner, created_at DESC, id LIMIT :limit
        ), flow AS (
            SELECT id, alias, description, flow, created_at, creator_id,
                   sum(octet_length(CAST(flow AS text)) + octet_length(description))
                       OVER (ORDER BY created_at DESC, id) AS bytes
            FROM usable_flows(:owner)
            WHERE json_array_length(flow) <= :most_members
              AND (CAST(:name AS text) IS NULL OR :name IN (alias, CAST(id AS text)))
            ORDER BY created_at DESC, id LIMIT :limit
        ), agent AS (
            SELECT id, alias, description, created_at, CAST(input_parameters AS text) AS content,
                   sum(octet_length(CAST(input_parameters AS text)) + octet_length(description))
                       OVER (ORDER BY created_at DESC, id) AS bytes
            FROM usable_agents(:owner)
            WHERE is_active
              AND (CAST(:name AS text) IS NULL OR :name IN (alias, CAST(id AS text)))
            ORDER BY created_at DESC, id LIMIT :limit
        ), member AS (
            SELECT agent.*, sum(octet_length(content)) OVER (ORDER BY id) AS bytes
            FROM (
                SELECT DISTINCT CAST(member ->> 'id' AS uuid) AS member_id, creator_id AS whose
                FROM flow CROSS JOIN LATERAL json_array_elements(flow) AS member
                WHERE CAST(:name AS text) IS NOT NULL OR creator_id <> :owner
            ) AS wanted CROSS JOIN LATERAL (
                SELECT id, alias, description, created_at,
                       CAST(input_parameters AS text) AS content
                FROM agents WHERE id = member_id AND creator_id = whose AND is_active LIMIT 1
            ) AS agent
        )
        SELECT 'config' AS kind, id, name, model AS description, created_at, '' AS content
        FROM config
        UNION ALL
        SELECT 'flow', id, alias, description, created_at, CAST(flow AS text) FROM flow
        WHERE bytes <= :most_bytes
        UNION ALL
        SELECT 'agent', id, alias, description, created_at, content FROM agent
        WHERE bytes <= :most_bytes
        UNION ALL
        SELECT 'member', id, alias, description, created_at, content FROM member
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
    of_kind: dict[str, list[Record]] = {kind: [] for kind in (*KINDS, MEMBER)}
    for row in sorted(rows, key=itemgetter("created_at"), reverse=True):
        of_kind[row["kind"]].append(row)
    listed = [*map(_agent, of_kind["agent"])]
    agents = {str(each.id): each for each in (*map(_agent, of_kind[MEMBER]), *listed)}
    flows = (_flow(row, agents) for row in of_kind["flow"])
    return [
        *(Target(*row[:5]) for row in of_kind["config"]),
        *(flow for flow in flows if flow is not None),
        *listed,
    ]


def _agent(row: Record) -> Target:
    _, id_, name, description, created_at, content = row
    schema = read_json(content)
    parameters, parameter = parameters_of(schema), text_parameter(schema)
    return Target("agent", id_, name, description, created_at, parameters, parameter)


def _flow(row: Record, agents: Mapping[str, Target]) -> Target | None:
    """It can be asked where all its members are active agents, and the later ones take a text."""
    _, id_, name, description, created_at, content = row
    members = [
        agents.get(each["id"]) if each["type"] == "genai" else None for each in read_json(content)
    ]
    match members:
        case [Target() as first, *later] if all(each and each.takes_text for each in later):
            parameters, parameter = first.parameters, first.text_parameter
            return Target("flow", id_, name, description, created_at, parameters, parameter)
    return None
