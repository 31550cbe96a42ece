"""Keys are rotated and retired in an installation of an earlier version, while its users chat."""

import asyncio
import secrets
import subprocess
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from attrs import frozen

from devstack.postgres import PostgresServer
from devstack.postgres_place import find_place
from devstack.processes import Child
from tests.agent_bridge.stored import execute, select
from tests.end_to_end.socket.front_end import chat_at
from tests.end_to_end.talker import Talker
from tests.master import Master, run_master
from tests.system import System
from tests.users import User, connect_to, eventually, register_user

OLD, NEW = (b64encode(secrets.token_bytes(32)).decode() for _ in range(2))
KEY, TOKEN, CREDENTIAL = f"sk-{uuid4().hex}", f"mt-{uuid4().hex}", f"cr-{uuid4().hex}"
MANY = 1_000
FROM_BEFORE = """
    INSERT INTO modelproviders (id, name, provider_metadata, creator_id)
    SELECT gen_random_uuid(), 'p' || number, json_build_object('token', %s || number), %s
    FROM generate_series(1, %s) AS number
"""


@frozen
class Record:
    """What was seen, first with both keys and a killed command, then with the new key alone."""

    killed_with: int
    told: str
    exit_status: int
    talker: Talker
    configs: dict[str, Any]
    """What the master agent was given in the end."""
    shown: dict[str, Any]
    agent: dict[str, Any]
    agents_status: int
    dump: str


@pytest.fixture(scope="module")
async def record(module_system: System, postgres: PostgresServer) -> AsyncIterator[Record]:
    system = module_system
    execute(system, "DELETE FROM sealing")  # as its migration leaves it
    async with AsyncExitStack() as stack:
        pair = start_pair(system, OLD)
        user = await stack.enter_async_context(register_user(system.gateway))
        master = await stack.enter_async_context(run_master(system.router_url))
        agent = await make_secrets_of(user)
        other = await stack.enter_async_context(register_user(system.gateway))
        execute(system, FROM_BEFORE, TOKEN, other.id, MANY)
        replace(pair)
        pair = start_pair(system, f"{NEW},{OLD}")
        talker, enough = Talker(user, system.gateways[1:]), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(talker.talk(enough))
            killed_with = await kill_in_the_middle(system)
            command = start_command(system)
            exit_status = await asyncio.to_thread(command.process.wait, 60)
            enough.set()
        replace(pair)
        start_pair(system, NEW)
        yield await look(system, postgres, user, master, agent, (killed_with, exit_status, talker))


def start_pair(system: System, keys: str) -> list[Child]:
    return [
        system.start_gateway(ENCRYPTION_KEYS=keys),
        system.start_bridge(ENCRYPTION_KEYS=keys),
    ]


def replace(pair: list[Child]) -> None:
    for child in pair:
        child.stop()


def start_command(system: System) -> Child:
    return system.start("reencrypt", "shared.reencrypt", {"ENCRYPTION_KEYS": f"{NEW},{OLD}"})


async def make_secrets_of(user: User) -> dict[str, Any]:
    """A config that has secrets everywhere, and an agent."""
    provider = {"name": "openai", "api_key": KEY, "metadata": {"token": TOKEN}}
    config = {
        "name": "config",
        "model": "m",
        "provider": "openai",
        "credentials": {"c": CREDENTIAL},
    }
    for path, new in (("provider", provider), ("config", config)):
        made = await user.http.post(f"/api/llm/model/{path}", json=new)
        assert made.status_code == 200, made.text
    return await user.register_agent("agent", "an agent")


def count_old(system: System) -> int:
    [row] = select(
        system,
        "SELECT count(*) AS number FROM modelproviders"
        " WHERE json_typeof(provider_metadata) = 'object'",
    )
    return int(row["number"])


async def kill_in_the_middle(system: System) -> int:
    """How many were left when it was killed: somebody else holds one row."""
    with psycopg.connect(system.settings.database_url) as holder:
        holder.execute("UPDATE modelproviders SET name = name WHERE name = 'p500'")
        command = start_command(system)

        async def waits() -> bool:
            return count_old(system) == 1

        await eventually(waits, "all but the one that is held", 30)
        command.kill()
    return count_old(system)


async def look(
    system: System,
    postgres: PostgresServer,
    user: User,
    master: Master,
    agent: dict[str, Any],
    seen: tuple[int, int, Talker],
) -> Record:
    killed_with, exit_status, talker = seen
    now = system.gateways[-1]
    async with (
        connect_to(now, Authorization=f"Bearer {user.token}") as http,
        connect_to(now, Authorization=f"Bearer {agent['jwt']}") as of_agent,
    ):
        url = now.replace("http", "ws", 1) + "/frontend/ws"
        async with chat_at(url, user, str(uuid4())) as chat:
            await chat.ask("at last")
        shown = (await http.get("/api/llm/model/configs")).json()
        [of_openai] = shown
        stored = (await http.get(f"/api/agents/{agent['id']}")).json()
        status = (await of_agent.get("/api/agents")).status_code
    return Record(
        killed_with,
        system.log_of("reencrypt"),
        exit_status,
        talker,
        master.invocations[-1].payload["configs"]["llm"],
        of_openai,
        {"registered": agent["jwt"], "shown": stored["agent_jwt"]},
        status,
        dump(system, postgres),
    )


def dump(system: System, postgres: PostgresServer) -> str:
    program = find_place(system.folder).binaries / "pg_dump"
    database = system.environment["POSTGRES_DB"]
    url = f"postgresql://{postgres.user}@{postgres.host}:{postgres.port}/{database}"
    made = subprocess.run(
        [program, "--inserts", url],
        env={"PGPASSWORD": postgres.password},
        capture_output=True,
        check=True,
        text=True,
    )
    return made.stdout


async def test_what_was_killed_in_the_middle_goes_on(record: Record) -> None:
    assert (record.killed_with, record.exit_status) == (1, 0)
    assert "1 metadata brought to their newest form" in record.told
    assert "1 credentials brought to their newest form" in record.told
    assert "1 tokens brought to their newest form" in record.told


async def test_chats_go_on_meanwhile(record: Record) -> None:
    talker = record.talker
    assert len(talker.sent) > 1
    for message in talker.sent:
        [frame] = talker.answers[message]
        assert frame["response"]["is_success"]


async def test_afterwards_the_master_agent_gets_all_with_the_new_key_alone(record: Record) -> None:
    given = record.configs
    assert (given["api_key"], given["token"], given["c"]) == (KEY, TOKEN, CREDENTIAL)


async def test_afterwards_users_are_shown_what_they_were(record: Record) -> None:
    assert record.shown["metadata"] == {"token": TOKEN}
    [config] = record.shown["configs"]
    assert config["credentials"] == {"c": CREDENTIAL}
    assert record.agent["shown"] == record.agent["registered"]
    assert record.agents_status == 200


async def test_no_secret_is_in_a_dump(record: Record) -> None:
    assert "CREATE TABLE public.agents" in record.dump
    hidden = KEY, TOKEN, CREDENTIAL, record.agent["registered"]
    assert [secret for secret in hidden if secret in record.dump] == []
