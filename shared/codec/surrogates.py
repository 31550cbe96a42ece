"""JSON with half a surrogate pair: browsers write it so, and it is no text that can be stored.

orjson refuses the whole of it without a word about the field.
"""

import json
import re
from collections.abc import Iterator
from typing import NoReturn

from shared.codec.faults import FAULTS_LIMIT, Fault, Location

SURROGATE = re.compile("[\ud800-\udfff]")
ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
HALF_A_PAIR = "Input should have no broken character"


def find_broken_texts(text: str | bytes) -> list[Fault]:
    """The texts with half a surrogate pair in JSON that orjson refused; none in what is no JSON."""
    decoded = text if isinstance(text, str) else text.decode(errors="replace")
    if not ESCAPED_SURROGATE.search(decoded):
        return []
    try:
        return [*_faults(json.loads(decoded, parse_constant=_refuse), ())][:FAULTS_LIMIT]
    except (ValueError, RecursionError):
        return []


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _faults(value: object, loc: Location) -> Iterator[Fault]:
    match value:
        case str() if SURROGATE.search(value):
            yield Fault("value_error", loc, HALF_A_PAIR, None)
        case list():
            for place, item in enumerate(value):
                yield from _faults(item, (*loc, place))
        case dict():
            for key, item in value.items():
                yield from _faults(key, loc)
                yield from _faults(item, loc if SURROGATE.search(key) else (*loc, key))
