"""What the router said, handled in its order: log entries in batches, agents one by one."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from agent_bridge.logs import Logs
from agent_bridge.registry import Registry
from agent_bridge.router.frames import AgentLogged, AgentRegistered, AgentUnregistered
from shared.database import DatabaseAwayError

logger = logging.getLogger(__name__)

LIMIT = 10_000  # events; a full inbox stops the reading from the router
BATCH = 200
RETRY_SECONDS = 0.5

type Fence = Callable[[], Awaitable[None]]
"""Called when all that came before it has been handled."""

type Event = AgentRegistered | AgentUnregistered | AgentLogged | Fence


class Inbox:
    """The queue between the router session and PostgreSQL."""

    def __init__(self, registry: Registry, logs: Logs) -> None:
        self._registry = registry
        self._logs = logs
        self._events: asyncio.Queue[Event] = asyncio.Queue(LIMIT)

    async def put(self, event: Event) -> None:
        """Add an event; waits while the inbox is full."""
        await self._events.put(event)

    async def handle(self) -> None:
        """Handle events for ever; they wait while PostgreSQL is away."""
        while True:
            events = deque([await self._events.get()])
            while len(events) < BATCH and not self._events.empty():
                events.append(self._events.get_nowait())
            while events:
                await asyncio.create_task(self._handle_next(events))

    async def _handle_next(self, events: deque[Event]) -> None:
        """Handle the first event, or all log entries that stand at the front."""
        logged = _leading_logs(events)
        try:
            if logged:
                await self._logs.store(logged)
            else:
                await self._handle_one(events[0])
        except DatabaseAwayError as error:
            logger.warning("%d events of the router wait: %s", len(events), error)
            await asyncio.sleep(RETRY_SECONDS)
            return
        except Exception:
            logger.exception("an event of the router was dropped")
        for _ in range(len(logged) or 1):
            events.popleft()

    async def _handle_one(self, event: Event) -> None:
        match event:
            case AgentRegistered():
                await self._registry.register(event)
            case AgentUnregistered():
                await self._registry.unregister(event)
            case AgentLogged():
                await self._logs.store([event])
            case fence:
                await fence()


def _leading_logs(events: deque[Event]) -> list[AgentLogged]:
    logged: list[AgentLogged] = []
    for event in events:
        if not isinstance(event, AgentLogged):
            break
        logged.append(event)
    return logged
