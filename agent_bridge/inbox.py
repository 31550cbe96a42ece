"""What the router said, handled in its order: log entries in batches, agents one by one."""

import asyncio
import logging
from collections import deque
from itertools import takewhile

from agent_bridge import metrics
from agent_bridge.logs import Logs
from agent_bridge.registry import Registry
from agent_bridge.router.frames import AgentLogged, AgentRegistered, AgentUnregistered
from agent_bridge.router.session import Event, RouterLost
from shared.database import DatabaseAwayError, in_own_task

logger = logging.getLogger(__name__)

LIMIT = 2_000  # events; a full inbox stops the reading from the router
BATCH = 200
RETRY_SECONDS = 0.5


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
                await in_own_task(self._handle_next(events))

    async def _handle_next(self, events: deque[Event]) -> None:
        """Handle the first event, and with a log entry all that follow at once."""
        count = len(_leading_logs(events)) or 1
        try:
            await self._handle_first(events)
        except DatabaseAwayError as error:
            logger.warning("%d events of the router wait: %s", len(events), error)
            await asyncio.sleep(RETRY_SECONDS)
            return
        except Exception:
            logger.exception("%d events of the router were dropped", count)
            metrics.LOG_ENTRIES_DROPPED.inc(len(_leading_logs(events)))
        for _ in range(count):
            events.popleft()

    async def _handle_first(self, events: deque[Event]) -> None:
        match events[0]:
            case AgentLogged():
                await self._logs.store(_leading_logs(events))
            case AgentRegistered() as agent:
                await self._registry.register(agent)
            case AgentUnregistered() as gone:
                await self._registry.unregister(gone)
            case RouterLost():
                await self._registry.forget_all()
            case fence:
                await fence()


def _leading_logs(events: deque[Event]) -> list[AgentLogged]:
    return [event for event in takewhile(_is_log, events) if isinstance(event, AgentLogged)]


def _is_log(event: Event) -> bool:
    return isinstance(event, AgentLogged)
