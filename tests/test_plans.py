"""How PostgreSQL finds what the hot statements ask for, where there is much of everything."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID, uuid4

import attrs
import psycopg
import pytest

from agent_bridge.logs import queries as log_queries
from agent_bridge.requests import claim_queries, queries
from agent_bridge.requests.asked_queries import mark_asked
from agent_bridge.requests.compose import compose, gather
from agent_bridge.requests.taking_queries import claim_requests
from gateway.audit.queries import Wanted, select_entries
from gateway.changes.queries import select_states
from gateway.published.queries import select_published
from gateway.published.task_queries import (
    TaskSelection,
    count_tasks,
    select_task,
    select_tasks,
    with_files,
)
from gateway.state import State
from gateway.streams.delivery import Delivery
from gateway.streams.watch import Watched, select_last_seqs
from gateway.web.paging import Slice
from shared.domain.endings import OpenRequest, Outcome, end_request
from shared.postgres.pool import connect
from shared.secrets import Vault
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.benchmarks.filling import fill
from tests.gateway.noted import LISTING, Owner, ask, chat, insert_owner, make_state, open_notebook
from tests.sql import run_sql
from tests.system import Stores

USERS = 200  # with 2,000 agents, 4,000 chats and 40,000 log entries
SMALL = {"router_session"}
SPREAD = "UPDATE logs SET created_at = created_at + id % 14 * interval '1 day'"  # all partitions
# Ten users are a group, and each of them shares one thing of each kind with it.
GROUPS = """
    WITH numbered AS (
        SELECT id, md5(concat('group', row_number() OVER (ORDER BY id) / 10))::uuid AS group_id
        FROM users
    ), made AS (
        INSERT INTO groups (id, name) SELECT DISTINCT group_id, 'group' FROM numbered
    ), joined AS (
        INSERT INTO group_members (group_id, user_id, role)
        SELECT group_id, id, 'member' FROM numbered
    )
    INSERT INTO shares (id, group_id, owner_id, agent_id, flow_id, config_id)
    SELECT gen_random_uuid(), group_id, numbered.id, agent_id, flow_id, config_id
    FROM numbered CROSS JOIN LATERAL (
        (SELECT id, NULL::uuid, NULL::uuid FROM agents WHERE creator_id = numbered.id LIMIT 1)
        UNION ALL
        (SELECT NULL, id, NULL FROM agentworkflows WHERE creator_id = numbered.id LIMIT 1)
        UNION ALL
        (SELECT NULL, NULL, id FROM modelconfigs WHERE creator_id = numbered.id LIMIT 1)
    ) AS shared (agent_id, flow_id, config_id)
"""
PARTIAL_INDEXES = "SELECT indexname FROM pg_indexes WHERE indexdef LIKE '% WHERE %'"
LOOKUP = "typeinfo"  # asyncpg's own, once for each type and connection
STATEMENTS = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")

type Plan = dict[str, Any]


@pytest.fixture(scope="module")
def filled(stores: Stores) -> Iterator[Settings]:
    """A database in which everybody has much, and its statistics."""
    with stores.environment() as environment:
        settings = read_settings(environment, Settings)
        fill(settings, USERS)
        with psycopg.connect(settings.database_url, autocommit=True) as connection:
            connection.execute(SPREAD)
            connection.execute(GROUPS)
            connection.execute("VACUUM (ANALYZE) logs, groups, group_members, shares")
        yield settings


@pytest.fixture(scope="module")
async def sent(
    anyio_backend: str, filled: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[set[str]]:
    """Every statement of a chat with log entries, of what watches it, and of all lists."""
    with run_sql(filled) as sql:
        owner = insert_owner(filled, sql, 1)
    async with open_notebook(filled) as notebook:
        folder = str(tmp_path_factory.mktemp("files"))
        state = make_state(filled, notebook.database, folder)
        for entry in LISTING.values():
            await ask(filled, state, owner.first, entry)
        await _chat(filled, state, owner)
        await _tell_tasks(state, owner)
        await _read_audit(state, UUID(owner.first.user_id))
        async with connect(state["database"]) as connection:
            assert await select_states(connection, [UUID(owner.first.user_id)])
        texts = {" ".join(each.sql.split()) for each in notebook.sent}
        yield {text for text in texts if text.startswith(STATEMENTS) and LOOKUP not in text}


async def _tell_tasks(state: State, owner: Owner) -> None:
    """What was asked through a publication, as programs ask for it."""
    async with connect(state["database"]) as connection:
        published = await select_published(connection, owner.first.published)
        assert published is not None
        task = await select_task(connection, published, UUID(owner.first.request_id), 1000)
        page = await select_tasks(connection, published, TaskSelection(), Slice(10, 0))
        assert task is not None
        assert [each.id for each in page.things()] == [task.id]
        assert await count_tasks(connection, published, TaskSelection()) == 1
        assert len(await with_files(connection, published.owner, page.things())) == 1


async def _read_audit(state: State, user_id: UUID) -> None:
    """The audit log, as administrators ask for it."""
    by = (Wanted(), Wanted(user_id), Wanted(object_id=user_id), Wanted(action="user.created"))
    async with connect(state["database"]) as connection:
        for wanted in by:
            page = await select_entries(connection, wanted, Slice(100, 0))
            assert "user.created" in {each.action for each in page.things()}


async def _chat(settings: Settings, state: State, owner: Owner) -> None:
    """A request from its message to its answer, as the gateway and the bridge treat it."""
    await chat(settings, state, owner)
    async with connect(state["database"]) as connection:
        [request] = await claim_requests(connection, uuid4(), 1)
        session_id, claim_id = request.session_id, request.claim_id
        vault = Vault(settings.encryption_keys)

        gathered = await gather(state["database"], request)
        [marked] = await queries.mark_sent(connection, [request])

        assert marked is not None
        assert compose(vault, request, gathered, marked).agents
        itself = attrs.evolve(request, asked_id=uuid4())
        [asked] = await mark_asked(connection, [itself])
        assert asked.members == []
        assert await claim_queries.renew_leases(connection, [claim_id]) == {claim_id}
        await queries.select_overdue(connection)
        await queries.select_backlog(connection)
        assert await log_queries.select_secrets(connection, [request.id])
        entries = [log_queries.LoggedMessage(0, "info", "entry")]
        source = log_queries.Source(session_id, request.id, None, False, entries)
        batch = log_queries.Batch(uuid4(), 1)
        assert await log_queries.insert_logs(connection, [source], "master_server_ml", batch)
        assert await log_queries.select_last_seqs(connection, [session_id])
        open_request = OpenRequest(request.id, "running", claim_id)
        outcome = Outcome("answered", {"response": "answer"})
        assert await end_request(connection, state["notifications"], open_request, outcome)
    watched = Watched(session_id, request.id)
    assert await select_last_seqs(state["database"], [watched]) == {watched: 2}
    delivery = Delivery(state["database"], UUID(owner.first.user_id), session_id, 0)
    assert len([frame async for frame in delivery.next_frames(None)]) == 2


def test_no_hot_statement_reads_a_table_from_end_to_end(filled: Settings, sent: set[str]) -> None:
    assert len(sent) > 30
    with psycopg.connect(filled.database_url) as connection:
        connection.execute("SET enable_seqscan = off")  # some tables are small here
        partial = {name for (name,) in connection.execute(PARTIAL_INDEXES)}
        scans = {text: set(_scanned(_plan(connection, text), partial)) - SMALL for text in sent}
    assert {text: tables for text, tables in scans.items() if tables} == {}


def _plan(connection: "psycopg.Connection[Any]", statement: str) -> Plan:
    """The plan for any values: what a prepared statement has after a while."""
    explain = f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {statement}"
    [[[found]]] = connection.execute(explain.encode()).fetchall()
    plan: Plan = found["Plan"]
    return plan


def _scanned(plan: Plan, partial: set[str]) -> Iterator[str]:
    """The tables that are read whole, in their own order or in that of an index."""
    index = plan.get("Index Name")
    whole_index = index is not None and "Index Cond" not in plan and index not in partial
    if plan["Node Type"] == "Seq Scan" or whole_index:
        yield str(plan.get("Relation Name", index))
    for part in plan.get("Plans", []):
        yield from _scanned(part, partial)


def test_no_hot_statement_groups_the_same_again_for_each_row(
    filled: Settings, sent: set[str]
) -> None:
    """As it would where it is planned for few rows, and has many."""
    with psycopg.connect(filled.database_url) as connection:
        groups = {text: [*_grouped_again(_plan(connection, text))] for text in sent}
    assert {text: keys for text, keys in groups.items() if keys} == {}


def _grouped_again(plan: Plan, *, is_repeated: bool = False) -> Iterator[list[str]]:
    """By what is grouped as often as there are rows on the other side of a join."""
    if is_repeated and "Group Key" in plan:
        yield plan["Group Key"]
    for part in plan.get("Plans", []):
        match part["Parent Relationship"], part["Node Type"]:
            case ("InitPlan", _) | (_, "Materialize"):
                again = False
            case ("Inner", _) if plan["Node Type"] == "Nested Loop":
                again = True
            case _:
                again = is_repeated
        yield from _grouped_again(part, is_repeated=again)
