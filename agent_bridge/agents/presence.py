"""Asking the router who is connected, at no cost for those who are not, and little for the others.

The router refuses an invocation of somebody who is not connected, but does not say of whom. So each
is followed by a frame that the router sends back as not understood: what was refused before it was
that one. Frames of one connection are handled in order.
"""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import batched
from uuid import UUID, uuid4

from attrs import frozen
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from agent_bridge.router.frames import NOT_ACTIVE, parse_error, presence_frames
from agent_bridge.router.lanes import RouterAwayError, connect_to_router
from shared.settings.bridge import BridgeSettings

BATCH = 100  # agents asked about on one connection
ANSWER_SECONDS = 1.5
SILENT_LIMIT = 3  # connections in a row on which the router said nothing


@frozen
class Presence:
    """Who is connected and who is not; nothing is known of those in neither set."""

    present: frozenset[UUID]
    absent: frozenset[UUID]


async def ask_presence(settings: BridgeSettings, agent_ids: Iterable[UUID]) -> Presence:
    """Ask about these agents. Raises RouterAwayError, also when the router does not answer."""
    states: dict[UUID, bool | None] = {}
    silent = 0
    for batch in batched(agent_ids, BATCH):
        waiting: Sequence[UUID] = batch
        while waiting:
            answers = await _ask(settings, waiting)
            states.update(zip(waiting, answers, strict=False))
            silent = silent + 1 if answers == [None] else 0
            if silent == SILENT_LIMIT:
                raise RouterAwayError("the router does not say who is connected")
            # Whoever is connected learns the key, and could have the connection closed by what it
            # sends there: the rest is asked on another one, and nothing is said of who did it.
            waiting = waiting[max(len(answers), 1) :]
    return Presence(
        frozenset(agent_id for agent_id, is_present in states.items() if is_present is True),
        frozenset(agent_id for agent_id, is_present in states.items() if is_present is False),
    )


async def _ask(settings: BridgeSettings, agent_ids: Sequence[UUID]) -> list[bool | None]:
    """Whether each is connected, as far as the connection held.

    None is the last, for an agent at which the router stopped: it may read nothing any more.
    """
    answers: list[bool | None] = []
    # Agents are told the key: it must not have the back-end's in it, nor be guessed.
    key = {"x-custom-invoke-key": f"presence:{uuid4()}"}
    connection = await connect_to_router(settings, key)
    marks = [uuid4().hex for _ in agent_ids]
    sending = asyncio.create_task(_send(connection, agent_ids, marks))
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            for mark in marks:
                answers.append(await _is_present(connection, mark))  # noqa: PERF401 (kept if it ends)
    except ConnectionClosed:
        pass
    except TimeoutError:
        answers.append(None)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await connection.close()
    return answers


async def _send(
    connection: ClientConnection, agent_ids: Iterable[UUID], marks: Iterable[str]
) -> None:
    for agent_id, mark in zip(agent_ids, marks, strict=True):
        for frame in presence_frames(str(agent_id), mark):
            await connection.send(frame)


async def _is_present(connection: ClientConnection, mark: str) -> bool:
    """Whether nobody was refused before this mark; whatever else comes is passed over."""
    is_present = True
    while mark not in (error := parse_error(await connection.recv())):
        is_present = is_present and error != NOT_ACTIVE
    return is_present
