"""The sockets of one gateway: counted for each user, and closed when they are over."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest
from attrs import define, field

from gateway.signins.revocations import Revocations
from gateway.streams.sockets import GoingDownError, Over, Sockets, TooManySocketsError
from gateway.web.callers import Caller, Credential
from shared.process.background import background

SECONDS = 1.5


@define(eq=False)
class Socket:
    """One that notes what is done to it."""

    on_leave: Callable[[], object] = lambda: None
    left: int = 0
    closed: list[Over] = field(factory=list)
    is_closed: asyncio.Event = field(factory=asyncio.Event)

    async def leave(self, _seconds: float) -> None:
        """Be left."""
        self.left += 1
        self.on_leave()

    async def close(self, why: Over) -> None:
        """Be closed."""
        self.closed.append(why)
        self.is_closed.set()

    async def until_closed(self) -> None:
        """Wait for that."""
        async with asyncio.timeout(SECONDS):
            await self.is_closed.wait()


class Outbox:
    """Nobody else is there."""

    def publish(self, _channel: str, _message: bytes) -> None:
        """Tell nobody."""


@pytest.fixture
def revocations() -> Revocations:
    nothing: Any = None
    outbox: Any = Outbox()
    return Revocations(nothing, outbox)


def caller(*, credential: UUID | None = None, seconds: float = 3600.0) -> Caller:
    return Caller(uuid4(), credential=Credential(credential, time.time() + seconds))


async def test_a_user_s_sockets_are_bounded(revocations: Revocations) -> None:
    sockets, user = Sockets(1, revocations), caller()
    with sockets.opened(user, Socket()):
        with pytest.raises(TooManySocketsError), sockets.opened(user, Socket()):
            pass
        with sockets.opened(caller(), Socket()):
            pass
    with pytest.raises(LookupError), sockets.opened(user, Socket()):
        raise LookupError  # as a handler that crashed: it is counted no more
    with sockets.opened(user, Socket()):
        pass


async def test_going_down_closes_each_socket_once(revocations: Revocations) -> None:
    sockets, user, each = Sockets(0, revocations), caller(), [Socket() for _ in range(3)]
    with ExitStack() as stack:
        for socket in each:
            stack.enter_context(sockets.opened(user, socket))
        await sockets.leave(SECONDS)
    assert [socket.left for socket in each] == [1, 1, 1]


async def test_a_gateway_that_goes_down_opens_no_more(revocations: Revocations) -> None:
    sockets = Sockets(0, revocations)
    await sockets.leave(SECONDS)
    with pytest.raises(GoingDownError), sockets.opened(caller(), Socket()):
        pass


async def test_a_socket_may_end_while_it_is_closed(revocations: Revocations) -> None:
    sockets, stack, other = Sockets(0, revocations), ExitStack(), Socket()
    stack.enter_context(sockets.opened(caller(), Socket(stack.close)))
    with sockets.opened(caller(), other):
        await sockets.leave(SECONDS)
    assert other.left == 1


async def test_what_was_revoked_closes_what_it_opened_and_nothing_else(
    revocations: Revocations,
) -> None:
    sockets, revoked, other = Sockets(0, revocations), uuid4(), uuid4()
    mine, too, theirs = Socket(), Socket(), Socket()
    with (
        sockets.opened(caller(credential=revoked), mine),
        sockets.opened(caller(credential=revoked), too),
        sockets.opened(caller(credential=other), theirs),
    ):
        revocations.publish([revoked])
        await mine.until_closed()
        await too.until_closed()
    assert (mine.closed, too.closed, theirs.closed) == ([Over.REVOKED], [Over.REVOKED], [])


async def test_what_was_revoked_since_it_was_checked_is_closed_at_once(
    revocations: Revocations,
) -> None:
    sockets, revoked, socket = Sockets(0, revocations), uuid4(), Socket()
    revocations.publish([revoked])
    with sockets.opened(caller(credential=revoked), socket):
        await socket.until_closed()
    assert socket.closed == [Over.REVOKED]


async def test_a_token_that_expires_closes_its_socket_within_a_second(
    revocations: Revocations,
) -> None:
    sockets, socket, other = Sockets(0, revocations), Socket(), Socket()
    with sockets.opened(caller(seconds=0.02), socket), sockets.opened(caller(), other):
        async with background(expiring=sockets.run()):
            await socket.until_closed()
    assert (socket.closed, other.closed) == ([Over.EXPIRED], [])


async def test_nothing_is_kept_of_sockets_that_are_no_more(revocations: Revocations) -> None:
    sockets, user = Sockets(0, revocations), caller(credential=uuid4())
    with sockets.opened(user, Socket()), sockets.opened(user, Socket()):
        pass
    assert (sockets._open, sockets._expiring, sockets._by_credential) == ({}, {}, {})
