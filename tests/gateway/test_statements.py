"""Lists ask PostgreSQL as often for many things as for one."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast
from uuid import UUID

import pytest
from databases import Database
from starlette.requests import Request

from gateway.agents.routes import list_active_connections, list_agents, list_frontend_agents
from gateway.agents.schemas import ActiveSelection, AgentSelection, FrontendSelection
from gateway.chats.routes import list_chats
from gateway.chats.schemas import ChatPage
from gateway.flows.routes import list_flows
from gateway.flows.schemas import FlowPage
from gateway.llms.routes import list_model_configs
from gateway.llms.schemas import ProviderPage
from gateway.state import State
from gateway.web.auth import Caller
from gateway.web.inputs import Nothing
from gateway.web.operation import Call
from shared.database import connect, create_database
from tests.gateway.conftest import Sql
from tests.gateway.members import create_flow, insert_agent, insert_card, insert_tool
from tests.system import System
from tests.users import User

type Handler = Callable[[Call[Nothing, Any]], Awaitable[object]]


@pytest.fixture
async def database(system: System) -> AsyncIterator[Database]:
    async with create_database(system.settings) as database:
        yield database


async def insert_one_of_each(user: User, sql: Sql, number: int) -> None:
    """Another agent, flow, chat, provider and config."""
    members = [insert(sql, user.id) for insert in (insert_agent, insert_tool, insert_card)]
    await create_flow(user, *members)
    await user.create_config(f"config {number}")
    sql(
        """
        INSERT INTO chatconversations (session_id, title, creator_id)
        VALUES (gen_random_uuid(), 't', %s)
        """,
        user.id,
    )


NO_REQUEST = Request({"type": "http"})


async def statements_of(database: Database, call: Call[Nothing, Any], handler: Handler) -> int:
    """How many statements the handler sends."""
    seen: list[object] = []
    async with connect(database) as connection:
        await handler(call)  # asyncpg looks up types when it meets them first
        raw: Any = connection.raw_connection
        with raw.query_logger(seen.append):
            await handler(call)
    return len(seen)


@pytest.mark.parametrize(
    ("handler", "parameters", "expected"),
    [
        (list_agents, AgentSelection(), 1),
        (list_frontend_agents, FrontendSelection(), 1),
        (list_active_connections, ActiveSelection(), 3),
        (list_flows, FlowPage(), 2),
        (list_chats, ChatPage(), 1),
        (list_model_configs, ProviderPage(), 2),
    ],
)
async def test_a_list_takes_as_many_statements_for_many_as_for_one(
    database: Database, user: User, sql: Sql, handler: Handler, parameters: Any, expected: int
) -> None:
    state = cast("State", {"database": database})
    call = Call(Nothing(), parameters, Caller(UUID(user.id)), state, NO_REQUEST)
    await insert_one_of_each(user, sql, 0)
    for_one = await statements_of(database, call, handler)
    for number in range(1, 6):
        await insert_one_of_each(user, sql, number)
    assert for_one == await statements_of(database, call, handler) == expected
