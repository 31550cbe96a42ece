"""Every recorded chat over the WebSocket, made again, and what is stored of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import httpx2
import pytest

from tests.contract.areas import RECORDED_GATEWAY, RECORDED_KEY
from tests.contract.binding import Binding
from tests.contract.cases import load_cases
from tests.contract.intended.chat_frames import SOCKET
from tests.contract.intended.everywhere import differences
from tests.contract.replay import Replay
from tests.contract.scenes import bad_tokens
from tests.contract.sockets import ScriptedMaster, converse, load_chats, script
from tests.master import Invocation, run_master
from tests.system import SERVICE_KEY, System
from tests.users import User, eventually, register_user

A = "97a01264-1f69-4de6-afdd-305530699489"
DIES = "master agent dies during a chat"
NO_MASTER = "no master agent connected", "... and afterwards"
# Only a system of its own can do without its router.
CHATS = [case for case in load_chats() if not case.name.startswith("router cannot be reached")]
READS = load_cases("websocket", "http_cases")
READ_AFTER = {
    "valid chat, two messages on one connection": READS[:11],
    "files: own, another user's and unknown id": READS[11:13],
    CHATS[-1].name: READS[13:],
}


@pytest.fixture(scope="module")
async def replay(system: System) -> AsyncIterator[Replay]:
    """All of it, once for all tests."""
    async with replaying_chats(system) as replay:
        yield replay


@pytest.mark.parametrize("case", [case.name for case in [*CHATS, *READS]])
async def test_a_chat_goes_as_recorded(replay: Replay, case: str) -> None:
    assert replay.faults[case] == []


async def test_every_difference_is_one(replay: Replay) -> None:
    assert {each.because for each in replay.differences} == replay.needed


@asynccontextmanager
async def replaying_chats(system: System) -> AsyncIterator[Replay]:
    """All chats said and answered, and read afterwards."""
    async with AsyncExitStack() as stack:
        a = await stack.enter_async_context(register_user(system.gateway))
        b = await stack.enter_async_context(register_user(system.gateway))
        await make_config(a, "wsprov", "wscfg")
        await make_config(a, "ollama", "wsollama")
        await make_config(a, "nullmeta", "nullcfg")
        await make_config(b, "wsprov", "wscfgB")
        binding = Binding(
            literals={
                RECORDED_GATEWAY: system.gateway,
                RECORDED_KEY: SERVICE_KEY,
                "<token:A>": a.token,
                "<token:B>": b.token,
                "<token:agent wsagent>": (await a.register_agent())["jwt"],
            },
            known={A: a.id},
        )
        binding.known["2d71202b-bd2f-4250-990a-ed83fc8b820a"] = await upload(a)
        binding.known["82f85dce-10b0-458a-b2ea-0128406ce3a3"] = await upload(b)
        http = await stack.enter_async_context(
            httpx2.AsyncClient(base_url=system.gateway, timeout=30, verify=False)
        )
        replay = Replay(http, binding, [*differences(READS), *SOCKET])
        binding.literals |= bad_tokens(system.settings.secret_key, a.id)
        await play_chats(system, replay)
        yield replay


async def play_chats(system: System, replay: Replay) -> None:
    """Each chat by itself, then what was read after it; in one the master agent is away."""
    master, talk = ScriptedMaster(replay.binding), partial(converse, system.gateway)
    for case in CHATS:
        master.name, master.turns = case.name, script(case)
        async with AsyncExitStack() as stack:
            if not case.name.startswith(NO_MASTER):
                behave = partial(die, master, replay) if case.name == DIES else master
                await stack.enter_async_context(run_master(system.router_url, behave))
            await replay.play(case, talk)
        for read in READ_AFTER.get(case.name, []):
            await replay.play(read)


async def die(master: ScriptedMaster, replay: Replay, invocation: Invocation) -> object:
    """Log, and leave before the answer; what was logged is stored by then."""
    await master(invocation)
    headers = {"Authorization": f"Bearer {replay.binding.literals['<token:A>']}"}
    url = f"/api/logs/list?request_id={invocation.request_id}"

    async def is_stored() -> bool:
        return bool((await replay.http.get(url, headers=headers)).json())

    await eventually(is_stored, "the log entry is stored")
    await invocation.master.connection.close()
    raise asyncio.CancelledError


async def make_config(user: User, provider: str, name: str) -> None:
    """A provider, and a config of it, under these names."""
    for path, body in (
        ("provider", {"name": provider, "api_key": "sk-secret", "metadata": {}}),
        ("config", {"name": name, "model": "gpt-4o-mini", "provider": provider}),
    ):
        made = await user.http.post(f"/api/llm/model/{path}", json=body)
        assert made.status_code == 200, made.text


async def upload(user: User) -> str:
    """A file of the recordings' name."""
    sent = await user.http.post("/files", files={"file": ("doc.txt", b"doc", "text/plain")})
    id_: str = sent.json()["id"]
    return id_
