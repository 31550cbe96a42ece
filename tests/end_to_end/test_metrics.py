"""What Prometheus is told by real processes that somebody uses."""

import asyncio
from collections.abc import Mapping
from urllib.request import urlopen
from uuid import uuid4

import attrs
import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from devstack.processes import HOST
from shared.settings.installation import Settings
from tests.master import Invocation, Master, answer
from tests.sql import run_sql
from tests.system import System
from tests.users import User, eventually

GATEWAY, BRIDGE = "gateway 1", "bridge 1"
OPEN = ("queued", "running")
COUNT_OPEN = """
    SELECT status, count(*) FROM requests WHERE status IN ('queued', 'running') GROUP BY status
"""

type Samples = Mapping[tuple[str, tuple[str, ...]], float]
"""By name and label values, which are in the order of their labels' names."""


def scrape(system: System, process: str) -> Samples:
    with urlopen(system.metrics[process], timeout=5) as response:  # noqa: S310 (an address of ours)
        text = response.read().decode()
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def until_changed(
    system: System, process: str, before: Samples, **changes: float
) -> dict[str, float]:
    """Wait until these samples have changed by so much; keys are `name` or `name:label,label`."""
    found: dict[str, float] = {}

    async def changed() -> bool:
        now = await asyncio.to_thread(scrape, system, process)
        for key in changes:
            name, _, labels = key.partition(":")
            sample = name, tuple(labels.split(",")) if labels else ()
            found[key] = now.get(sample, 0.0) - before.get(sample, 0.0)
        return found == changes

    await eventually(changed, f"{changes}, but {found}")
    return found


async def test_a_chat_shows_in_both_services(system: System, user: User, master: Master) -> None:
    async def behave(invocation: Invocation) -> object:
        await invocation.log("one")
        return answer("done")

    master.behave = behave
    gateway, bridge = scrape(system, GATEWAY), scrape(system, BRIDGE)
    async with user.chat() as chat:
        await chat.ask("hello")
        await until_changed(system, GATEWAY, gateway, genai_sockets_open=1)
    await until_changed(
        system,
        GATEWAY,
        gateway,
        **{
            "genai_messages_total:stored": 1,
            "genai_request_delivery_seconds_count": 1,
            "genai_sockets_open": 0,
            "genai_sockets_closed_total:1000": 1,
        },
    )
    await until_changed(
        system,
        BRIDGE,
        bridge,
        **{
            "genai_requests_ended_total:answered": 1,
            "genai_request_waiting_seconds_count": 1,
            "genai_request_preparation_seconds_count": 1,
            "genai_request_invocation_seconds_count": 1,
            "genai_log_entries_total:stored": 1,
            "genai_log_entries_total:dropped": 0,
            "genai_lanes_in_use": 0,
            "genai_router_session_held": 0,
        },
    )


async def test_lost_clients_show_apart_from_those_that_say_goodbye(
    system: System, user: User
) -> None:
    before = scrape(system, GATEWAY)
    for _ in range(2):
        async with user.chat() as chat:
            chat.connection.transport.abort()
    async with user.chat() as chat:
        await chat.connection.close(1001)
    await until_changed(
        system,
        GATEWAY,
        before,
        **{
            "genai_sockets_closed_total:lost": 2,
            "genai_sockets_closed_total:1001": 1,
            "genai_sockets_closed_total:1005": 0,
            "genai_sockets_open": 0,
            "genai_sockets_refused_total": 0,
        },
    )


async def test_what_is_refused_shows_with_its_reason(system: System, user: User) -> None:
    before = scrape(system, GATEWAY)
    credentials = {"username": user.name, "password": "wrong"}
    await user.http.post("/api/login/access-token", data=credentials)
    with pytest.raises(InvalidStatus):
        async with connect(f"{user.socket_url}?token=dead"):
            pass
    async with user.chat() as chat:
        await chat.ask("hello", message_id=(again := str(uuid4())))
        await chat.send("hello", message_id=again)
    await until_changed(
        system,
        GATEWAY,
        before,
        **{
            "genai_logins_total:wrong": 1,
            "genai_sockets_refused_total": 1,
            "genai_messages_total:stored": 1,
            "genai_messages_total:repeated": 1,
        },
    )


async def test_rest_calls_show_by_their_template_and_never_by_what_was_asked(
    system: System, user: User
) -> None:
    before = scrape(system, GATEWAY)
    secret = str(uuid4())
    await user.http.get("/api/chats/")
    await user.http.get(f"/api/agents/{secret}")
    await user.http.get(f"/{secret}")
    await user.http.request(f"X{secret[:8]}", "/api/chats")
    await until_changed(
        system,
        GATEWAY,
        before,
        **{
            "genai_http_requests_total:GET,/api/chats,2xx": 1,
            "genai_http_request_duration_seconds_count:GET,/api/chats": 1,
            "genai_http_requests_total:GET,/api/agents/{agent_id},4xx": 1,
            "genai_http_requests_total:GET,none,4xx": 1,
        },
    )
    assert [key for key in scrape(system, GATEWAY) if secret[:8] in str(key)] == []


async def test_frames_show_by_where_they_came_from(
    system: System, user: User, master: Master
) -> None:
    before = scrape(system, GATEWAY)
    async with user.chat() as chat:
        await chat.ask("hello")
    async with user.chat(chat.session_id, after=0) as again:
        await again.receive_answer()
    told_or_healed = await until_changed_sum(system, before)
    assert told_or_healed == 1
    await until_changed(system, GATEWAY, before, **{"genai_frames_total:replay": 1})


async def until_changed_sum(system: System, before: Samples) -> float:
    """How many frames were told or, where the notification came before the subscription, read."""
    now = await asyncio.to_thread(scrape, system, GATEWAY)
    keys = [("genai_frames_total", ("notification",)), ("genai_frames_total", ("gap",))]
    return sum(now[key] - before.get(key, 0.0) for key in keys)


@pytest.mark.parametrize("process", [GATEWAY, BRIDGE])
async def test_every_process_hears_notifications_and_tells_how_late(
    process: str, system: System
) -> None:
    before = scrape(system, process)
    assert before["genai_notifications_up", ()] == 1
    count = "genai_notifications_lag_seconds_count", ()

    async def heard() -> bool:
        return scrape(system, process)[count] > before[count]

    await eventually(heard, "the canary is heard")


@pytest.mark.parametrize("process", [GATEWAY, BRIDGE])
async def test_the_pool_is_counted(process: str, system: System) -> None:
    samples = scrape(system, process)
    used = [samples["genai_database_connections", (state,)] for state in ("idle", "in_use")]
    most = samples["genai_database_connections_most", ()]
    assert most == system.settings.database_pool_size
    assert 1 <= sum(used) <= most


async def test_requests_that_run_and_wait_show_in_a_bridge(
    system: System, user: User, master: Master
) -> None:
    may_answer = asyncio.Event()

    async def behave(_invocation: Invocation) -> object:
        await may_answer.wait()
        return answer("done")

    master.behave = behave
    async with user.chat() as chat:
        await chat.send("first")
        await chat.send("second")

        async def shown() -> bool:
            samples = await asyncio.to_thread(scrape, system, BRIDGE)
            counts = {s: samples.get(("genai_requests_open", (s,)), 0) for s in OPEN}
            waits = samples.get(("genai_requests_oldest_queued_seconds", ()), 0.0)
            with run_sql(system.settings) as sql:
                stored = {row["status"]: row["count"] for row in sql(COUNT_OPEN)}
            return counts == stored and waits > 0 and samples["genai_lanes_in_use", ()] >= 1

        await eventually(shown, "one runs and one waits")
        may_answer.set()
        await chat.receive_answer()
        await chat.receive_answer()


async def test_the_public_port_tells_nothing(system: System) -> None:
    async with httpx2.AsyncClient(verify=False) as http:
        assert (await http.get(f"{system.gateway}/metrics")).status_code == 404


def test_metrics_are_nowhere_unless_they_are_wanted_and_then_on_this_machine() -> None:
    defaults = {field.name: field.default for field in attrs.fields(Settings)}
    ports = defaults["gateway_metrics_port"], defaults["bridge_metrics_port"]
    assert (*ports, defaults["metrics_host"]) == (0, 0, HOST)
