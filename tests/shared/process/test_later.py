"""What few need is had by who first needs it, in a thread, and once for all."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4

import pytest

from shared.process.later import Later, Once

LONG = 0.3  # seconds
HELD = 0.1  # that nobody may have to wait

type WriteModule = Callable[[str], str]


@pytest.fixture
def write_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WriteModule]:
    """Writes a module with that at its head, and returns its name."""
    monkeypatch.syspath_prepend(tmp_path)
    written: list[str] = []

    def write(head: str) -> str:
        name = f"written_{uuid4().hex}"
        text = f"{head}\n\nasync def double(number, *, plus=0):\n    return 2 * number + plus\n"
        (tmp_path / f"{name}.py").write_text(text)
        written.append(name)
        return name

    yield write
    for name in written:
        sys.modules.pop(name, None)


async def longest_turn(work: asyncio.Task[int]) -> float:
    """Seconds that the loop was held while the work was done."""
    longest, before = 0.0, monotonic()
    while not work.done():
        await asyncio.sleep(0.01)
        longest, before = max(longest, monotonic() - before), monotonic()
    return longest


async def test_a_module_is_loaded_by_the_first_call_and_holds_nobody(
    write_module: WriteModule,
) -> None:
    name = write_module(f"import time; time.sleep({LONG})")
    module = Later(name)
    assert name not in sys.modules
    work = asyncio.create_task(module.double(3, plus=1))
    assert await longest_turn(work) < HELD
    assert await work == 7
    assert name in sys.modules


async def test_calls_that_come_at_once_load_it_once(
    write_module: WriteModule, tmp_path: Path
) -> None:
    loads = tmp_path / "loads"
    name = write_module(
        f"import time\ntime.sleep({LONG})\nwith open({str(loads)!r}, 'a') as loads:\n"
        "    loads.write('once')\n"
    )
    module, other = Later(name), Later(name)
    doubled = await asyncio.gather(module.double(1), other.double(2), module.double(3))
    assert list(doubled) == [2, 4, 6]
    assert loads.read_text() == "once"


async def test_of_two_modules_the_second_waits_for_the_whole_first(
    write_module: WriteModule,
) -> None:
    head = f"import time\nbegan = time.monotonic()\ntime.sleep({LONG})\nended = time.monotonic()\n"
    names = [write_module(head), write_module(head)]
    await asyncio.gather(*(Later(name).double(1) for name in names))
    first, second = sorted((sys.modules[name] for name in names), key=lambda each: each.began)
    assert first.ended <= second.began


async def test_what_is_to_be_done_before_is_done_before(write_module: WriteModule) -> None:
    seen: list[bool] = []
    name = write_module("")
    await Later(name, lambda: seen.append(name in sys.modules)).double(1)
    assert seen == [False]


async def test_what_can_t_be_loaded_is_told_each_time() -> None:
    module = Later("no_such_module_at_all")
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError):
            await module.double(1)


async def test_what_is_made_is_made_once_and_holds_nobody() -> None:
    made: list[int] = []

    def make() -> int:
        sleep(LONG)
        made.append(1)
        return len(made)

    once = Once(make)
    first = asyncio.create_task(once.get())
    second = asyncio.create_task(once.get())
    assert await longest_turn(first) < HELD
    assert [await first, await second, await once.get()] == [1, 1, 1]


async def test_what_could_not_be_made_is_made_by_the_next_who_asks() -> None:
    divisors = iter([0, 2])
    once = Once(lambda: 10 // next(divisors))
    with pytest.raises(ZeroDivisionError):
        await once.get()
    assert await once.get() == 5
