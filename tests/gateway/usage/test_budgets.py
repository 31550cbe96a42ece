"""A budget for a month, which ends in a refusal at every door."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx2
import pytest

from gateway.streams.asking import BUDGET_SPENT, GROUP_BUDGET_SPENT
from gateway.web import refusals
from tests.a2a import VERSION, publish_assistant
from tests.agui import make_input, say
from tests.gateway.usage.spending import PRICE, USED, report, saying
from tests.master import Master
from tests.mcpserver import BOTH, modern
from tests.sql import Sql
from tests.system import System
from tests.users import Json, User, eventually, register_user

MONTH = 31 * 24 * 3600
type Knock = Callable[[User], Awaitable[httpx2.Response]]


def give_budget(sql: Sql, user: User, usd: float) -> None:
    """A budget of the user's own."""
    sql(
        """
        INSERT INTO budgets (user_id, usd) VALUES (%s, %s)
        ON CONFLICT (user_id) DO UPDATE SET usd = excluded.usd
        """,
        user.id,
        usd,
    )


def spend(sql: Sql, user: User, usd: float, days_ago: int = 0) -> None:
    """What an answer may have cost."""
    day = datetime.now(UTC).date() - timedelta(days=days_ago)
    sql("INSERT INTO usage_days VALUES (%s, %s, 'm', 1, 1, 0, 1, %s, 0)", user.id, day, usd)


def count_requests(sql: Sql, user: User) -> int:
    [row] = sql("SELECT count(*) FROM requests WHERE creator_id = %s", user.id)
    count: int = row["count"]
    return count


@pytest.fixture
def spender(user: User, sql: Sql, master: Master) -> User:
    """Somebody who has spent all that he may."""
    give_budget(sql, user, 2)
    spend(sql, user, 2)
    return user


async def test_a_group_spends_its_budget_together(
    user: User, other_user: User, sql: Sql, master: Master
) -> None:
    [group] = sql("INSERT INTO groups (id, name) VALUES (gen_random_uuid(), 'g') RETURNING id")
    join = "INSERT INTO group_members (group_id, user_id, role) VALUES (%s, %s, %s)"
    sql(join, group["id"], user.id, "manager")
    sql(join, group["id"], other_user.id, "invited")
    sql("INSERT INTO budgets (group_id, usd) VALUES (%s, 3)", group["id"])
    spend(sql, user, 1)
    spend(sql, other_user, 2)
    assert await ask_by_post(user) == 202
    sql("UPDATE group_members SET role = 'member' WHERE user_id = %s", other_user.id)
    for member in (user, other_user):
        assert await ask_by_post(member) == GROUP_BUDGET_SPENT
    sql("UPDATE budgets SET usd = 0 WHERE group_id = %s", group["id"])
    assert await ask_by_post(user) == 202


async def ask_by_post(user: User) -> int | str:
    """The status of a message that is accepted, or the sentence that refuses it."""
    body = {"message": "hello"}
    answer = await user.http.post(f"/api/sessions/{uuid4()}/messages", json=body)
    return str(answer.json()["detail"]) if answer.status_code == 429 else answer.status_code


async def test_what_goes_beyond_a_budget_is_the_last(user: User, sql: Sql, master: Master) -> None:
    give_budget(sql, user, PRICE)
    master.behave = saying({**USED, "input_tokens": USED["input_tokens"] // 2})
    async with user.chat() as chat:
        for _ in range(2):
            assert "error" not in await chat.ask("hello")
        refused = await chat.ask("hello")
        assert refused["error"] == refused["response"]["response"]["response"] == BUDGET_SPENT
        give_budget(sql, user, 2 * PRICE)
        assert "error" not in await chat.ask("hello")
    assert (await report(user))["budget"] == {"monthly": 2 * PRICE, "spent": 1.5 * PRICE}
    assert count_requests(sql, user) == 3


async def test_a_socket_of_the_second_protocol_is_told_why(spender: User) -> None:
    async with spender.chat(protocol=2) as chat:
        await chat.send("hello")
        frame = await chat.receive()
    assert (frame["type"], frame["code"], frame["error"]) == ("error", "budget_spent", BUDGET_SPENT)


async def post_message(user: User) -> httpx2.Response:
    return await user.http.post(f"/api/sessions/{uuid4()}/messages", json={"message": "hello"})


async def run_over_agui(user: User) -> httpx2.Response:
    return await user.http.post("/ag-ui", json=make_input(say("hello")))


REST: dict[str, Knock] = {"messages": post_message, "ag-ui": run_over_agui}


@pytest.mark.parametrize("knock", REST.values(), ids=REST)
async def test_a_call_is_refused_until_the_month_ends(
    knock: Knock, spender: User, sql: Sql
) -> None:
    answered = await knock(spender)
    assert (answered.status_code, answered.json()) == (429, {"detail": BUDGET_SPENT})
    assert 0 < int(answered.headers["retry-after"]) <= MONTH
    assert count_requests(sql, spender) == 0


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses"])
async def test_openais_form_has_a_word_for_it(path: str, stream: bool, spender: User) -> None:
    asked: Json = {"messages": [say("hello")]} if "chat" in path else {"input": "hello"}
    for message in asked.get("messages", []):
        del message["id"]
    body = {"model": "config", "stream": stream, **asked}
    answered = await spender.http.post(path, json=body)
    error = answered.json()["error"]
    assert (answered.status_code, error["message"]) == (429, BUDGET_SPENT)
    assert error["type"] == error["code"] == "insufficient_quota"
    assert answered.headers["x-should-retry"] == "false"


async def test_an_mcp_client_is_told_in_the_result(spender: User, sql: Sql) -> None:
    called, headers = modern("tools/call", name="ask", arguments={"message": "hello"})
    answered = await spender.http.post("/mcp", json=called, headers=headers | BOTH)
    result = answered.json()["result"]
    assert result["isError"] is True
    assert result["content"] == [{"type": "text", "text": BUDGET_SPENT}]
    assert count_requests(sql, spender) == 0


async def test_an_a2a_client_is_told_that_a_resource_is_exhausted(spender: User) -> None:
    url = await publish_assistant(spender)
    message = {"messageId": str(uuid4()), "role": "ROLE_USER", "parts": [{"text": "hello"}]}
    rpc = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {"message": message}}
    for path, sent in ((url, rpc), (f"{url}/message:send", {"message": message})):
        answered = await spender.http.post(path, json=sent, headers=VERSION)
        error = answered.json()["error"]
        assert (answered.status_code, error["status"]) == (429, "RESOURCE_EXHAUSTED")
        assert error["message"] == BUDGET_SPENT


async def test_an_agent_is_not_asked_itself_either(spender: User, sql: Sql) -> None:
    agent = await spender.register_agent("painter", "paints")
    schema = '{"parameters": {"type": "object", "properties": {"text": {"type": "string"}}}}'
    sql(
        """
        UPDATE agents SET is_active = true,
               input_parameters = jsonb_build_object('function', CAST(%s AS jsonb))
        WHERE id = %s
        """,
        schema,
        agent["id"],
    )
    body = {"message": "hello"}
    answered = await spender.http.post(f"/api/agents/{agent['id']}/invoke", json=body)
    assert (answered.status_code, answered.json()) == (429, {"detail": BUDGET_SPENT})


async def test_a_message_that_was_accepted_before_is_told_its_answer_again(
    user: User, sql: Sql, master: Master
) -> None:
    message_id, session_id = str(uuid4()), str(uuid4())
    path, body = f"/api/sessions/{session_id}/messages", {"message": "m", "message_id": message_id}
    first = await user.http.post(path, json=body)
    give_budget(sql, user, 1)
    spend(sql, user, 1)
    again = await user.http.post(path, json=body)
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json()["request_id"] == first.json()["request_id"]


async def test_what_was_spent_before_this_month_does_not_count(
    user: User, sql: Sql, master: Master
) -> None:
    give_budget(sql, user, 1)
    spend(sql, user, 5, days_ago=datetime.now(UTC).day)
    async with user.chat() as chat:
        assert "error" not in await chat.ask("hello")
    assert (await report(user))["budget"] == {"monthly": 1, "spent": 0}


async def test_what_others_spend_does_not_count(
    user: User, other_user: User, sql: Sql, master: Master
) -> None:
    give_budget(sql, user, 1)
    spend(sql, other_user, 5)
    async with user.chat() as chat, other_user.chat() as other:
        assert "error" not in await chat.ask("hello")
        assert "error" not in await other.ask("hello")


@pytest.fixture(scope="module")
def thrifty(system: System) -> Iterator[str]:
    """A gateway of the shared system with a budget for all."""
    gateway = system.start_gateway(MONTHLY_BUDGET="2.50")
    yield system.gateways[-1]
    gateway.kill()
    system.gateways.pop()


async def test_a_budget_for_all_holds_for_who_has_none_of_his_own(
    thrifty: str, system: System, sql: Sql, master: Master
) -> None:
    async with register_user(thrifty) as user:
        await user.create_config()
        spend(sql, user, 2.4)
        assert (await report(user))["budget"] == {"monthly": 2.5, "spent": 2.4}
        assert (await post_message(user)).status_code == 202
        sql("UPDATE usage_days SET price = 2.5 WHERE user_id = %s", user.id)
        assert (await post_message(user)).status_code == 429
        give_budget(sql, user, 3)
        assert (await post_message(user)).status_code == 202
        give_budget(sql, user, 0)
        sql("UPDATE usage_days SET price = 1000 WHERE user_id = %s", user.id)
        assert (await post_message(user)).status_code == 202
        assert (await report(user))["budget"] is None


async def test_the_log_says_whose_budget_is_spent(spender: User, system: System) -> None:
    async def is_logged() -> bool:
        await post_message(spender)
        log = system.log_of("gateway 1")
        return any(
            refusals.BUDGET_SPENT in line and spender.id in line for line in log.splitlines()
        )

    await eventually(is_logged, "the log says whose budget is spent")
