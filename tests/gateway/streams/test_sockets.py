"""The sockets of one gateway: counted for each user, and closed when it goes down."""

from collections import Counter
from contextlib import ExitStack
from functools import partial
from uuid import UUID, uuid4

import pytest

from gateway.streams.sockets import GoingDownError, Sockets, TooManySocketsError

SECONDS = 1.0


async def close(_seconds: float) -> None:
    """Close nothing."""


def test_a_user_s_sockets_are_bounded() -> None:
    sockets, user_id = Sockets(1), uuid4()
    with sockets.opened(user_id, close):
        with pytest.raises(TooManySocketsError), sockets.opened(user_id, close):
            pass
        with sockets.opened(uuid4(), close):
            pass


def test_a_socket_whose_handler_crashed_is_not_counted_on() -> None:
    sockets, user_id = Sockets(1), uuid4()
    with pytest.raises(LookupError), sockets.opened(user_id, close):
        raise LookupError
    with sockets.opened(user_id, close):
        pass


async def test_going_down_closes_each_socket_once() -> None:
    closed: Counter[UUID] = Counter()

    async def close_one(id_: UUID, _seconds: float) -> None:
        closed[id_] += 1

    sockets, user_id, ids = Sockets(0), uuid4(), [uuid4() for _ in range(3)]
    with ExitStack() as stack:
        for id_ in ids:
            stack.enter_context(sockets.opened(user_id, partial(close_one, id_)))
        await sockets.leave(SECONDS)
    assert closed == dict.fromkeys(ids, 1)


async def test_a_gateway_that_goes_down_opens_no_more() -> None:
    sockets = Sockets(0)
    await sockets.leave(SECONDS)
    with pytest.raises(GoingDownError), sockets.opened(uuid4(), close):
        pass


async def test_a_socket_may_end_while_it_is_closed() -> None:
    sockets, stack = Sockets(0), ExitStack()

    async def end(_seconds: float) -> None:
        stack.close()

    stack.enter_context(sockets.opened(uuid4(), end))
    with sockets.opened(uuid4(), close):
        await sockets.leave(SECONDS)
