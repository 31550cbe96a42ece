"""The garbage collector beside an event loop: what stays is not looked through again and again."""

import gc
from typing import Any

OLDEST = 2
THRESHOLDS = (700, 10, 2)  # Python's own, but the oldest generation is looked through while small
MANY = 10_000  # objects: looking through them takes some 10 ms
TURNS = 100


def spare_the_loop() -> None:
    """Leave out what is there by now, and from now on whatever survives in numbers.

    A look through everything holds the loop for 0.1 s without any socket and for 0.6 s with 5,000,
    again and again as they open. What is left out is freed as ever once nothing refers to it. Only
    what refers to itself has to be looked for, and nothing here leaves any of that behind
    (`tests/gateway/test_garbage.py`); should there be some nevertheless, it is found in time.
    """
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    gc.callbacks.append(_LeaveOut())


class _LeaveOut:
    """Told of each look; everything is looked through after so many turns of leaving out."""

    def __init__(self) -> None:
        self._turns = 0

    def __call__(self, phase: str, info: dict[str, Any]) -> None:
        if info["generation"] != OLDEST:
            return
        if phase == "start" and self._turns >= TURNS:
            gc.unfreeze()
            self._turns = 0
        elif phase == "stop" and len(gc.get_objects(OLDEST)) > MANY:
            gc.freeze()
            self._turns += 1
