"""What the master agent's library logs of a form that it is tried with is shown to nobody."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from genai_session.session import GenAISession

from tests.agent_bridge.broken import keep_bridges, until_heard
from tests.agent_bridge.stored import execute, select_logs
from tests.master import run_master
from tests.system import ML_KEY, System
from tests.users import Chat, Json, User, eventually

ANSWER = {"agents_trace": [], "response": "at your service", "is_success": True}
RECORD = "request_payload"


async def _enriched(
    agent_context: Any, message: Any, agents: Any, configs: Any, files: Any
) -> Json:
    del agents, configs, files
    return _answer(agent_context, message)


async def _lookup(
    agent_context: Any, session_id: Any, user_id: Any, configs: Any, files: Any, timestamp: Any
) -> Json:
    del session_id, user_id, configs, files, timestamp
    return _answer(agent_context, "looked up")


async def _calls_in_vain(
    agent_context: Any, message: Any, agents: Any, configs: Any, files: Any
) -> Json:
    return await _enriched(agent_context, message=message, agents=agents, tools=configs)  # type: ignore[call-arg]


def _answer(context: Any, message: Any) -> Json:
    said = f"working on {message}"
    context.logger.info(said)
    return ANSWER


@asynccontextmanager
async def _library_master(system: System, handler: Callable[..., Any]) -> AsyncIterator[None]:
    """A master agent by the library, as its users run it: it logs its calls."""
    async with run_master(system.router_url):
        pass  # whoever was it before has gone
    session = GenAISession(ws_url=system.router_url, api_key=ML_KEY)
    session.bind(name="master", description="answers")(handler)
    serving = asyncio.create_task(session.process_events())
    try:
        yield
    finally:
        session._shutdown_event.set()
        await serving


async def _ask(chat: Chat, message: str) -> tuple[list[str], Json]:
    """The log entries of a request, and its answer; until the master agent is connected."""
    logged: list[str] = []
    await chat.send(message)
    while (frame := await chat.receive())["type"] == "agent_log":
        logged.append(frame["log"]["message"])
    if "not connected" in frame.get("error", ""):
        return await _ask(chat, message)
    return logged, frame


async def _are_stored(system: System, chat: Chat, count: int) -> bool:
    return len(select_logs(system, chat.session_id)) == count


@pytest.fixture
async def forgetful(running: System, owner: User) -> System:
    """A system in which no form was answered yet, with a bridge that hears the router."""
    keep_bridges(running, 0)
    execute(running, "UPDATE router_session SET master_form = NULL")
    keep_bridges(running, 1)
    await until_heard(running, owner, 10)
    return running


@pytest.mark.parametrize("handler", [_lookup, _enriched])
async def test_the_trial_of_a_form_is_not_shown(
    forgetful: System, owner: User, handler: Callable[..., Any]
) -> None:
    async with _library_master(forgetful, handler), owner.chat() as chat:
        first, frame = await _ask(chat, "one")
        assert frame["response"]["response"] == ANSWER
        second, frame = await _ask(chat, "two")
        assert frame["response"]["response"] == ANSWER
    await eventually(lambda: _are_stored(forgetful, chat, 6), "what comes after the answer too")
    stored = [row["message"] for row in select_logs(forgetful, chat.session_id)]
    assert not [text for text in [*first, *second, *stored] if "Traceback" in text]
    assert [RECORD in text for text in stored] == [True, False, False] * 2, "as if there was none"
    assert len([text for text in stored if text.startswith("working on")]) == 2


async def test_a_master_agent_that_was_replaced_by_the_other_kind_shows_no_traceback(
    forgetful: System, owner: User
) -> None:
    async with owner.chat() as chat:
        for handler in (_enriched, _lookup):
            async with _library_master(forgetful, handler):
                _, frame = await _ask(chat, "hello")
                assert frame["response"]["response"] == ANSWER
    stored = [row["message"] for row in select_logs(forgetful, chat.session_id)]
    assert not [text for text in stored if "Traceback" in text]


async def test_a_call_in_vain_of_the_master_agent_s_own_is_shown(
    forgetful: System, owner: User
) -> None:
    async with _library_master(forgetful, _calls_in_vain), owner.chat() as chat:
        await _ask(chat, "hello")

    async def is_stored() -> bool:
        logged = [row["message"] for row in select_logs(forgetful, chat.session_id)]
        return any("Traceback" in text and "'tools'" in text for text in logged)

    await eventually(is_stored, "its traceback is stored")
