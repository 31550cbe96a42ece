"""A service that dies at a named point, loses its news, or hurries: `python -m tests.faults.altered
agent_bridge short_lease die_after_claim`. Otherwise it is the real one.

A function is replaced where it is defined, before the modules that use it are imported.
"""

import os
import runpy
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import count
from typing import Any

from agent_bridge import log_queries
from agent_bridge import queries as bridge_queries
from agent_bridge.router.frames import MASTER_SERVER_ML
from agent_bridge.router.lanes import Lane
from gateway.chats import queries as gateway_queries
from shared import endings
from shared.news import News

LEASE_SECONDS = 3.0

type AsyncFunction = Callable[..., Awaitable[Any]]


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _dying_after(function: AsyncFunction) -> AsyncFunction:
    """Die when it has done something, and before anybody can act on it."""

    async def done(*arguments: Any) -> Any:
        result = await function(*arguments)
        if result:
            _die()
        return result

    return done


def _dying_before(_function: AsyncFunction) -> AsyncFunction:
    async def never(*_arguments: Any) -> None:
        _die()

    return never


def short_lease() -> None:
    """What a bridge leaves behind is taken over soon."""
    bridge_queries.LEASE = timedelta(seconds=LEASE_SECONDS)


def die_after_claim() -> None:
    """A request is claimed."""
    bridge_queries.claim_requests = _dying_after(bridge_queries.claim_requests)


def die_after_mark() -> None:
    """A request is marked as sent, and was not sent."""
    bridge_queries.mark_sent = _dying_after(bridge_queries.mark_sent)


def die_after_send() -> None:
    """A request has gone to the master agent."""
    invoke = Lane.invoke

    async def sending(lane: Lane, agent_uuid: str, *others: Any) -> Any:
        if agent_uuid == MASTER_SERVER_ML:
            connection: Any = lane._connection
            send = connection.send

            async def send_and_die(frame: bytes) -> None:
                await send(frame)
                _die()

            connection.send = send_and_die
        return await invoke(lane, agent_uuid, *others)

    Lane.invoke = sending  # type: ignore[method-assign]


def die_after_answer() -> None:
    """The master agent's answer has come."""
    Lane.invoke = _dying_after_answer(Lane.invoke)  # type: ignore[method-assign]


def _dying_after_answer(invoke: AsyncFunction) -> AsyncFunction:
    async def answered(lane: Lane, agent_uuid: str, *others: Any) -> Any:
        reply = await invoke(lane, agent_uuid, *others)
        if agent_uuid == MASTER_SERVER_ML:
            _die()
        return reply

    return answered


def die_before_end() -> None:
    """An answer is about to be stored."""
    endings._update_request = _dying_before(endings._update_request)


def die_after_end() -> None:
    """An answer is stored, and nobody was told."""
    endings._update_request = _dying_after(endings._update_request)


def die_after_logs() -> None:
    """Log entries are stored, and nobody was told."""
    log_queries.insert_logs = _dying_after(log_queries.insert_logs)


def die_before_accept() -> None:
    """A message is about to be stored."""
    gateway_queries.insert_request = _dying_before(gateway_queries.insert_request)


def die_after_accept() -> None:
    """A message is stored, and no bridge was told."""
    gateway_queries.insert_request = _dying_after(gateway_queries.insert_request)


def lose_all_news() -> None:
    """Whatever is published is lost."""
    News.publish = lambda *_: None  # type: ignore[method-assign]


def lose_every_second_news() -> None:
    """Half of what is published is lost."""
    publish, numbers = News.publish, count()

    def publish_half(news: News, channel: str, message: bytes) -> None:
        if next(numbers) % 2:
            publish(news, channel, message)

    News.publish = publish_half  # type: ignore[method-assign]


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
        lose_all_news,
        lose_every_second_news,
    )
}


if __name__ == "__main__":
    _, service, *names = sys.argv
    for name in names:
        ALTERATIONS[name]()
    runpy.run_module(service, run_name="__main__")
