"""What answers have used: noted with requests, and summed."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from gateway.web.auth import NOT_ADMIN
from tests.gateway.shapes import faults, good, refused
from tests.gateway.usage.spending import MILLION, PRICE, USED, report, saying, used_of
from tests.master import Master, answer
from tests.sql import Sql
from tests.system import System
from tests.users import Json, User, connect_to

SUMS = {"requests", "input_tokens", "cached_tokens", "output_tokens", "price", "unpriced_requests"}
NOTHING = {**dict.fromkeys(SUMS, 0), "price": None}


def today() -> date:
    return datetime.now(UTC).date()


def insert_days(sql: Sql, user: User, *days: str, price: float | None = 1.0) -> None:
    """Sums of these days, as if answers had been there."""
    for day in days:
        sql("INSERT INTO usage_days VALUES (%s, %s, 'm', 1, 10, 4, 3, %s, 0)", user.id, day, price)


async def ask(user: User, master: Master, usage: Any) -> Json:
    """The response to a message whose answer says that."""
    master.behave = saying(usage)
    async with user.chat() as chat:
        frame = await chat.ask("hello")
    response: Json = frame["response"]
    return response


async def test_what_an_answer_says_is_noted_priced_and_summed(user: User, master: Master) -> None:
    said = {**USED, "output_tokens": MILLION, "cached_tokens": MILLION}
    response = await ask(user, master, said)
    assert response["response"]["usage"] == said, "the answer stays as it came"
    costs = PRICE / 2 + 10
    counts = {name: said[name] for name in ("input_tokens", "cached_tokens", "output_tokens")}
    names = {"model": "gpt-4o", "provider": "openai"}
    assert await used_of(user, response["request_id"]) == [{**names, **counts, "price": costs}]
    sums = {"requests": 1, **counts, "price": costs, "unpriced_requests": 0}
    assert await report(user) == {
        "from_day": str(today().replace(day=1)),
        "to_day": str(today()),
        "total": sums,
        "budget": None,
        "days": [{"day": str(today()), "model": "gpt-4o", **sums}],
    }


async def test_answers_at_once_are_all_in_the_sums(user: User, master: Master) -> None:
    master.behave = saying([{**USED, "input_tokens": 1000}, {"output_tokens": 5, "model": "ours"}])

    async def ask_one() -> None:
        async with user.chat() as chat:
            await chat.ask("hello")

    await asyncio.gather(*(ask_one() for _ in range(12)))
    told = await report(user)
    counts = {day["model"]: day["requests"] for day in told["days"]}
    assert counts == {"gpt-4o": 12, "ours": 12}
    assert told["total"] == {
        "requests": 24,
        "input_tokens": 12_000,
        "cached_tokens": 0,
        "output_tokens": 60,
        "price": pytest.approx(12 * PRICE / 1000),
        "unpriced_requests": 12,
    }


async def test_an_unknown_model_has_no_price_and_that_is_said(user: User, master: Master) -> None:
    response = await ask(user, master, {"prompt_tokens": 5, "completion_tokens": 2})
    [used] = await used_of(user, response["request_id"])
    assert used["price"] is None
    assert used["model"], "that of the model config"
    [day] = (await report(user))["days"]
    assert (day["price"], day["unpriced_requests"]) == (None, 1)


@pytest.mark.parametrize("said", ["many", {"input_tokens": -1}, {}, [USED] * 17, 2**70])
async def test_bad_usage_costs_no_answer_and_counts_nothing(
    said: Any, user: User, master: Master
) -> None:
    response = await ask(user, master, said)
    assert (response["is_success"], response["response"]["usage"]) == (True, said)
    assert await used_of(user, response["request_id"]) == []
    assert (await report(user))["total"] == NOTHING


async def test_the_log_says_whose_usage_was_dropped_and_why(
    user: User, system: System, master: Master
) -> None:
    response = await ask(user, master, {"input_tokens": "private"})
    lines = [json.loads(line) for line in system.log_of("bridge 1").splitlines()]
    [line] = [each for each in lines if each.get("request_id") == response["request_id"]]
    assert line["event"].endswith("input_tokens is no whole number from 0 to 1,000,000,000")
    assert (line["level"], line["user_id"]) == ("warning", user.id)
    assert "private" not in str(line)


async def test_an_answer_that_says_nothing_has_used_nothing(user: User, master: Master) -> None:
    async with user.chat() as chat:
        frame = await chat.ask("hello")
    assert frame["response"]["response"] == answer("echo: hello")
    assert await used_of(user, frame["response"]["request_id"]) == []
    assert (await report(user))["days"] == []


async def test_days_are_those_that_are_asked_for_newest_first(user: User, sql: Sql) -> None:
    insert_days(sql, user, "2026-01-31", "2026-02-01", "2026-02-28", "2026-03-01")
    told = await report(user, from_day="2026-02-01", to_day="2026-02-28")
    assert [day["day"] for day in told["days"]] == ["2026-02-28", "2026-02-01"]
    assert (told["total"]["requests"], told["total"]["price"]) == (2, 2.0)
    ended = await report(user, to_day="2026-02-03")
    assert (ended["from_day"], len(ended["days"])) == ("2026-02-01", 1)


async def test_days_come_in_pages_and_the_total_is_of_all(user: User, sql: Sql) -> None:
    insert_days(sql, user, "2026-02-01", "2026-02-02", "2026-02-03")
    asked: dict[str, Any] = {"from_day": "2026-02-01", "to_day": "2026-02-28", "limit": 2}
    answered = await user.http.get("/api/usage", params=asked)
    assert [day["day"][-1] for day in answered.json()["days"]] == ["3", "2"]
    following = await user.http.get(answered.links["next"]["url"])
    assert [day["day"][-1] for day in following.json()["days"]] == ["1"]
    assert answered.json()["total"] == following.json()["total"]
    assert following.json()["total"]["requests"] == 3


@pytest.mark.parametrize(
    "query",
    [
        {"from_day": "2026-02-02", "to_day": "2026-02-01"},
        {"from_day": "2025-01-01", "to_day": "2026-02-01"},
        {"from_day": "0001-01-01"},
        {"from_day": str(today() + timedelta(days=2))},
    ],
)
async def test_days_that_make_no_sense_are_refused(user: User, query: Json) -> None:
    assert refused(await user.http.get("/api/usage", params=query)).startswith("'from_day' ")


@pytest.mark.parametrize(
    "day", ["", "today", "2026-02-30", "20260201", "2026-W05-7", "12026-01-01"]
)
async def test_a_day_is_a_date(user: User, day: str) -> None:
    told = faults(await user.http.get("/api/usage", params={"to_day": day}))
    assert told == [("date_parsing", ["query", "to_day"])]


async def test_nobody_sees_what_others_have_used(user: User, other_user: User, sql: Sql) -> None:
    insert_days(sql, user, str(today()))
    assert (await report(other_user))["total"] == NOTHING
    for whose in (user.id, str(uuid4())):
        asked = await other_user.http.get("/api/usage", params={"user_id": whose})
        assert (asked.status_code, asked.json()) == (403, {"detail": NOT_ADMIN})
    assert (await report(other_user, user_id=other_user.id))["total"] == NOTHING


async def test_an_administrator_sees_what_anybody_has_used(
    user: User, other_user: User, sql: Sql
) -> None:
    insert_days(sql, user, str(today()), price=3.0)
    insert_days(sql, other_user, str(today()), price=0.5)
    sql("INSERT INTO budgets (user_id, usd) VALUES (%s, 7)", user.id)
    sql("UPDATE users SET role = 'admin' WHERE id = %s", other_user.id)
    told = await report(other_user, user_id=user.id)
    assert told == await report(user)
    assert (told["total"]["price"], told["budget"]) == (3.0, {"monthly": 7.0, "spent": 3.0})
    assert (await report(other_user))["total"]["price"] == 0.5
    unknown = str(uuid4())
    asked = await other_user.http.get("/api/usage", params={"user_id": unknown})
    assert refused(asked) == f"User '{unknown}' does not exist"


async def test_an_administrators_key_wants_the_scope_for_what_others_have_used(
    user: User, other_user: User, system: System, sql: Sql
) -> None:
    sql("UPDATE users SET role = 'admin' WHERE id = %s", user.id)
    for scopes, status in ((["read"], 403), (["read", "admin"], 200)):
        key = good(await user.http.post("/api/keys", json={"name": "k", "scopes": scopes}))["key"]
        async with connect_to(system.gateway, Authorization=f"Bearer {key}") as http:
            asked = await http.get("/api/usage", params={"user_id": other_user.id})
            assert asked.status_code == status, asked.text
            assert (await http.get("/api/usage")).status_code == 200
