"""One sentence about what somebody typed: which field, and what it may hold."""

from collections.abc import Sequence

from gateway.web.errors import BadRequestError
from shared.codec.faults import Fault, InvalidInputError

# No form makes these: it sends all its fields and no others, as JSON, and ids as it got them.
MALFORMED = {"missing", "extra_forbidden", "json_invalid", "uuid_parsing", "uuid_type"}
MUST_BE = {
    "string_type": "a text",
    "url_type": "a URL",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of at most 18 digits",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "dict_type": "an object",
    "list_type": "a list",
    "model_attributes_type": "an object",
}


def refuse(faults: Sequence[Fault]) -> BadRequestError | InvalidInputError:
    """A sentence about the first fault where all are in what was typed, else all of them."""
    if all(map(_was_typed, faults)):
        return BadRequestError(sentence(faults[0]))
    return InvalidInputError(list(faults))


def _was_typed(fault: Fault) -> bool:
    place, *way = fault.loc
    return place in {"body", "path"} and bool(way) and fault.type not in MALFORMED


def sentence(fault: Fault) -> str:
    """What is wrong with a field, for somebody who knows only its name."""
    field = ".".join(map(str, fault.loc[1:]))
    if fault.type in MUST_BE:
        return f"'{field}' must be {MUST_BE[fault.type]}"
    kind, _, words = fault.msg.partition(" should ")
    return f"'{field}' must {words}" if kind == "Input" else fault.msg.removeprefix("Value error, ")
