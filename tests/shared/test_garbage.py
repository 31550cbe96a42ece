"""What the garbage collector leaves out, and finds nevertheless."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from shared.garbage import MANY, spare_the_loop


class Ring:
    """Refers to itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def spared() -> Iterator[None]:
    """The collector as services have it."""
    thresholds, callbacks = gc.get_threshold(), list(gc.callbacks)
    spare_the_loop()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    gc.callbacks[:] = callbacks


@pytest.mark.usefixtures("spared")
def test_what_survives_in_numbers_is_left_out() -> None:
    before = gc.get_freeze_count()
    kept = [Ring() for _ in range(2 * MANY)]
    gc.collect()
    assert gc.get_freeze_count() - before >= len(kept)


@pytest.mark.usefixtures("spared")
def test_a_few_survivors_are_looked_through_again() -> None:
    before = gc.get_freeze_count()
    kept = Ring()
    gc.collect()
    assert gc.is_tracked(kept)
    assert gc.get_freeze_count() <= before


@pytest.mark.usefixtures("spared")
def test_what_was_left_out_and_refers_to_itself_is_found_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.garbage.TURNS", 3)
    ring: Ring | None = Ring()
    kept: list[list[Ring]] = []
    found: list[bool] = []
    gone = weakref.ref(ring)
    for _ in range(4):
        kept.append([Ring() for _ in range(2 * MANY)])
        gc.collect()
        ring = None
        found.append(gone() is None)
    assert found == [False, False, False, True]
