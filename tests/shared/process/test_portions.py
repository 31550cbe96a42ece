"""Much that comes at once is worked through in portions, in its order."""

import asyncio

import pytest

from shared.process.portions import PORTION, Portions


async def test_what_comes_alone_is_done_at_once() -> None:
    portions, done = Portions(), list[int]()
    assert portions.add(lambda: done.append(1))
    assert done == [1]


async def test_no_turn_of_the_loop_does_more_than_a_portion_and_none_is_left() -> None:
    portions, done, turns = Portions(), list[int](), list[int]()
    for number in range(3 * PORTION + 1):
        portions.add(lambda number=number: done.append(number))  # type: ignore[misc]
    while len(done) <= 3 * PORTION:
        turns.append(len(done))
        await asyncio.sleep(0)
    assert turns == [PORTION, 2 * PORTION, 3 * PORTION]
    assert done == list(range(3 * PORTION + 1))


async def test_what_comes_while_others_wait_comes_after_them() -> None:
    portions, done = Portions(), list[str]()
    for _ in range(PORTION):
        portions.add(lambda: None)
    assert not portions.add(lambda: done.append("first"))
    await asyncio.sleep(0)
    assert portions.add(lambda: done.append("second"))
    assert done == ["first", "second"]


async def test_each_turn_has_a_portion_of_its_own() -> None:
    portions = Portions()
    for _ in range(3):
        assert all(portions.add(lambda: None) for _ in range(PORTION))
        await asyncio.sleep(0)


async def test_the_others_have_their_turn_where_one_fails() -> None:
    portions, done, failures = Portions(), list[int](), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, told: failures.append(told))
    for _ in range(PORTION):
        portions.add(lambda: None)

    def fail() -> None:
        raise LookupError

    portions.add(fail)
    portions.add(lambda: done.append(1))
    for _ in range(2):
        await asyncio.sleep(0)
    assert (done, len(failures)) == ([1], 1)


async def test_what_fails_at_once_is_told_to_who_brought_it() -> None:
    def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        Portions().add(fail)
