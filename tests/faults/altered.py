"""A service that dies at a named point, loses its notifications, hurries, or has a wrong clock:
`python -m tests.faults.altered agent_bridge short_lease die_after_claim`.
Otherwise it is the real one.

A function is replaced in the module that calls it by its name there.
"""

import ctypes
import gc
import os
import runpy
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta, tzinfo
from itertools import count
from pathlib import Path
from typing import Any

from obstore import put_async
from obstore.exceptions import GenericError

from agent_bridge.doors import connection as doors
from agent_bridge.doors import sending
from agent_bridge.logs import store as logs
from agent_bridge.requests import claim_queries, claiming, upkeep
from agent_bridge.requests import queries as bridge_queries
from agent_bridge.router.frames import MASTER_SERVER_ML
from agent_bridge.router.lanes import Lane
from gateway.chats import routes as chat_routes
from gateway.files import queries as file_queries
from gateway.files import storage, sweep
from gateway.identities import providers
from gateway.streams import sse, storing
from shared.domain import endings
from shared.notifications.bus import Notifications

LEASE_SECONDS = 3.0
STRANGE = timedelta(minutes=15)
TINY_BYTES = 24 * 1024 * 1024
NO_SPACE = (
    "Generic LocalFileSystem error: Unable to copy data to file: No space left on device"
    " (os error 28)\n\nDebug source:\nGeneric {"
)

type AsyncFunction = Callable[..., Awaitable[Any]]


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_after(owner: Any, name: str, nothing: tuple[Any, ...] = ([], None, False)) -> None:
    """Die when this function has done something, before anybody can act on it."""
    function: AsyncFunction = getattr(owner, name)

    async def done(*arguments: Any, **named: Any) -> Any:
        result = await function(*arguments, **named)
        if result not in nothing:
            _die()
        return result

    setattr(owner, name, done)


def _die_before(owner: Any, name: str) -> None:
    async def never(*_arguments: Any) -> None:
        _die()

    setattr(owner, name, never)


def _replace_invoke(replace: Callable[[AsyncFunction], AsyncFunction]) -> None:
    """Have the master agent invoked in another way; probes and flush markers go as ever."""
    invoke: AsyncFunction = Lane.invoke
    to_master = replace(invoke)

    async def invoke_either(lane: Lane, agent_uuid: str, *others: Any) -> Any:
        chosen = to_master if agent_uuid == MASTER_SERVER_ML else invoke
        return await chosen(lane, agent_uuid, *others)

    Lane.invoke = invoke_either  # type: ignore[assignment,method-assign]


def short_lease() -> None:
    """What a bridge leaves behind is taken over soon."""
    claim_queries.LEASE = timedelta(seconds=LEASE_SECONDS)
    upkeep.RENEW_SECONDS = LEASE_SECONDS / 3  # in forked processes it was read long before


def die_after_claim() -> None:
    """A request is claimed; what can be sent as it is is marked as sent with that."""
    for name in ("claim_requests", "take_requests"):
        _die_after(claiming, name)


def die_after_mark() -> None:
    """A request is marked as sent by a statement of its own, and was not sent."""
    _die_after(bridge_queries, "mark_sent")


def die_after_send() -> None:
    """A request has gone to the master agent."""

    def replace(invoke: AsyncFunction) -> AsyncFunction:
        async def sending(lane: Lane, *others: Any) -> Any:
            _die_after(lane._connection, "send", nothing=())
            return await invoke(lane, *others)

        return sending

    _replace_invoke(replace)


def die_after_answer() -> None:
    """The master agent's answer has come."""

    def replace(invoke: AsyncFunction) -> AsyncFunction:
        async def answered(lane: Lane, *others: Any) -> None:
            await invoke(lane, *others)
            _die()

        return answered

    _replace_invoke(replace)


def die_before_end() -> None:
    """An answer is about to be stored."""
    _die_before(endings, "_update_requests")


def die_after_end() -> None:
    """An answer is stored, and nobody was told."""
    _die_after(endings, "_update_requests")


def die_after_logs() -> None:
    """Log entries are stored, and nobody was told."""
    _die_after(logs, "insert_logs")


def die_before_accept() -> None:
    """A message is about to be stored."""
    _die_before(storing, "insert_request")


def die_after_accept() -> None:
    """A message is stored, and no bridge was told."""
    _die_after(storing, "insert_request")


def lose_all_notifications() -> None:
    """Whatever is published is lost."""
    Notifications.publish = lambda *_: None  # type: ignore[method-assign]


def lose_every_second_notification() -> None:
    """Half of what is published is lost."""
    publish: Callable[[Notifications, str, bytes], None] = Notifications.publish
    numbers = count()

    def publish_half(self: Notifications, channel: str, message: bytes) -> None:
        if next(numbers) % 2:
            publish(self, channel, message)

    Notifications.publish = publish_half  # type: ignore[method-assign]


async def raise_no_space(*_arguments: Any, **_options: Any) -> None:
    """Fail as obstore does on a disk without room."""
    raise GenericError(NO_SPACE)


def tiny_disk() -> None:
    """The disk of files has room for 24 MiB; for who may not mount such a one."""
    put, statvfs = put_async, os.statvfs

    def used(folder: str) -> int:
        return sum(path.stat().st_size for path in Path(folder).iterdir())

    async def put_if_it_fits(store: Any, name: str, content: Any, **options: Any) -> Any:
        room = TINY_BYTES - used(str(store.prefix))

        async def fitting() -> AsyncIterator[bytes]:
            left = room
            async for piece in content:
                if (left := left - len(piece)) < 0:
                    await raise_no_space()
                yield piece

        return await put(store, name, fitting(), **options)

    def statvfs_of_tiny(folder: str) -> os.statvfs_result:
        found = list(statvfs(folder))
        found[1], found[4] = 1, TINY_BYTES - used(folder)
        return os.statvfs_result(found)

    setattr(storage, "put_async", put_if_it_fits)  # noqa: B010 (it is imported there)
    os.statvfs = statvfs_of_tiny  # type: ignore[assignment]


def sweep_at_once() -> None:
    """What uploads left is looked for at the start, and again soon."""
    sweep.FIRST_SECONDS = 0.0
    sweep.ROUND_SECONDS = 0.2


def die_before_insert() -> None:
    """A file is in the storage, and about to be noted."""
    _die_before(file_queries, "insert_file")


def die_after_delete() -> None:
    """A chat is deleted, and its files are still in the storage."""
    _die_after(chat_routes, "delete_whole_chat")


def hasty_door() -> None:
    """Whoever takes nothing at the door is cut off soon."""
    sending.SEND_SECONDS = 1.0


def hasty_streams() -> None:
    """Whoever takes nothing of a stream is cut off soon."""
    sse.SEND_SECONDS = 1.0


def hasty_providers() -> None:
    """Providers are asked as often as it takes, and not for long."""
    providers.AGAIN_SECONDS = 0.0
    providers.VISIT_SECONDS = 1.0


def few_calls() -> None:
    """The door remembers few unanswered calls of an agent."""
    doors.CALLS_LIMIT = 3


def _set_clock(ahead: timedelta) -> None:
    """Have this process's clock differ from everybody else's."""
    seconds, true_time, true_time_ns = ahead.total_seconds(), time.time, time.time_ns
    time.time = lambda: true_time() + seconds
    time.time_ns = lambda: true_time_ns() + int(seconds * 1e9)

    def now(cls: type[datetime], tz: tzinfo | None = None) -> datetime:
        return cls.fromtimestamp(time.time(), tz)

    # A class of C takes no attributes, but its dictionary does.
    [attributes] = gc.get_referents(vars(datetime))
    attributes["now"] = classmethod(now)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime))


def clock_behind() -> None:
    """The clock is a quarter of an hour behind: longer than a request may take."""
    _set_clock(-STRANGE)


def clock_ahead() -> None:
    """The clock is a quarter of an hour ahead."""
    _set_clock(STRANGE)


ALTERATIONS = {
    alteration.__name__: alteration
    for alteration in (
        short_lease,
        die_after_claim,
        die_after_mark,
        die_after_send,
        die_after_answer,
        die_before_end,
        die_after_end,
        die_after_logs,
        die_before_accept,
        die_after_accept,
        lose_all_notifications,
        lose_every_second_notification,
        tiny_disk,
        sweep_at_once,
        die_before_insert,
        die_after_delete,
        hasty_door,
        hasty_streams,
        hasty_providers,
        few_calls,
        clock_behind,
        clock_ahead,
    )
}


if __name__ == "__main__":
    _, service, *names = sys.argv
    for name in names:
        ALTERATIONS[name]()
    runpy.run_module(service, run_name="__main__")
