"""What the stack's two agents need beyond `genai-protocol`: staying connected, logs in order."""

import asyncio
import json
import logging
import random
from collections.abc import Coroutine
from typing import Any

from genai_session.session import GenAISession
from genai_session.utils.exceptions import RouterInaccessibleException
from genai_session.utils.logging_manager import ContextLogger
from websockets.exceptions import WebSocketException

MAX_DELAY_SECONDS = 10.0
CONNECTED = "connected to"  # how an agent's log says so
CONNECTED_SECONDS = 5.0  # a session that lasted so long has succeeded

log = logging.getLogger("agent")


async def stay_connected(session: GenAISession) -> None:
    """Serve the session's agent for ever, connecting anew with backoff whenever it ends."""
    delay = 0.5
    while True:
        began = asyncio.get_running_loop().time()
        reason = await _serve_once(session)
        if asyncio.get_running_loop().time() - began > CONNECTED_SECONDS:
            delay = 0.5
        log.warning("not connected (%s), trying again", reason)
        await asyncio.sleep(random.uniform(delay / 2, delay))  # noqa: S311 (no secret)
        delay = min(delay * 2, MAX_DELAY_SECONDS)


async def _serve_once(session: GenAISession) -> str:
    """Serve until the connection is lost and return why."""
    serving = asyncio.create_task(session.process_events(send_logs=False))
    ends = {serving}
    try:
        if listener := await _listener_of(serving):
            ends.add(listener)
            log.info("%s %s", CONNECTED, session.ws_url)
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            if end.done():
                await end
    except (RouterInaccessibleException, WebSocketException, OSError) as fault:
        return str(fault)
    finally:
        serving.cancel()
        await asyncio.wait({serving})
    return "the router ended the session"


async def _listener_of(serving: asyncio.Task[None]) -> asyncio.Task[Any] | None:
    """The task in which genai-protocol 1.0 reads; None when connecting failed.

    It alone learns that the connection is gone: the library waits for its own shutdown only.
    """
    while not serving.done():
        for task in asyncio.all_tasks():
            if getattr(task.get_coro(), "__name__", "") == "receive_messages":
                return task
        await asyncio.sleep(0.02)
    return None


async def log_now(logger: ContextLogger, level: str, message: str) -> None:
    """Send a log entry and return when it is on its way, so that entries keep their order.

    The logger's own methods start a task each, which may run after the answer. An entry of the
    level `delta` is a part of a text that is being made.
    """
    frame = {
        "message_type": "agent_log",
        "log_message": message,
        "log_level": level,
        "agent_uuid": logger.agent_uuid,
        "request_id": logger.request_id,
        "session_id": logger.session_id,
    }
    await logger.websocket.send(json.dumps(frame))


def run_agent(serving: Coroutine[Any, Any, None]) -> None:
    """Run an agent until the process is told to end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        asyncio.run(serving)
    except KeyboardInterrupt:
        log.info("ended")
