"""Where this gateway answers otherwise than the original did, and which sentence wants it so."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from attrs import evolve, frozen

from tests.contract.cases import Answer, Case

type Change = Callable[[Answer], Answer]


@frozen
class Difference:
    """What we say in the place of what was recorded, in the cases that it `applies` to."""

    because: str
    applies: Callable[[Case], bool]
    change: Change


def differ(because: str, change: Change, *names: str) -> Difference:
    """A difference of the cases of these names."""
    return Difference(because, lambda case: case.name in names, change)


def wherever(because: str, applies: Callable[[Case], bool], change: Change) -> Difference:
    """A difference of all cases that are so."""
    return Difference(because, applies, change)


def says(status: int, body: Any, **headers: str) -> Change:
    """Another answer altogether; JSON unless it is empty."""
    form = {} if body is None else {"content-type": "application/json", "content-length": "some"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Answer(status, {**form, **named}, body)


def refuses(detail: str) -> Change:
    """A 400 with a sentence."""
    return says(400, {"detail": detail})


def finds(kind: str, loc: list[Any], message: str, given: Any) -> Change:
    """A 422 with one fault."""
    return says(422, {"detail": [{"type": kind, "loc": loc, "msg": message, "input": given}]})


def edits(change: Callable[[Any], Any]) -> Change:
    """The recorded answer with another body; an empty one stays."""

    def apply(answer: Answer) -> Answer:
        if answer.body is None:
            return answer
        return evolve(answer, body=change(deepcopy(answer.body)))

    return apply


def without(*keys: str) -> Change:
    """The recorded answer without these keys of its object, or of the objects in its list."""

    def leave_out(body: Any) -> Any:
        if isinstance(body, list):
            return [leave_out(item) for item in body]
        return {key: value for key, value in body.items() if key not in keys}

    return edits(leave_out)


def with_headers(headers: Mapping[str, str | None]) -> Change:
    """The recorded answer with other headers, and without those that are None."""

    def change(answer: Answer) -> Answer:
        merged = {**answer.headers, **headers}
        return evolve(answer, headers={k: v for k, v in merged.items() if v is not None})

    return change
