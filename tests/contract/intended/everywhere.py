"""Differences that go through all areas."""

from collections.abc import Iterator, Sequence
from functools import partial
from operator import eq
from typing import Any

from tests.contract.cases import Answer, Case
from tests.contract.differences import Difference, edits, finds, refuses, says, wherever

DEAD_TOKEN = says(
    401,
    {"detail": "Token is not valid or expired. Please log in again"},
    www_authenticate="Bearer",
)
NOT_AUTHENTICATED = says(401, {"detail": "Not authenticated"}, www_authenticate="Bearer")
LARGEST = 2**63 - 1

FORM_OF_FAULTS = (
    'Section 1: `{"detail": [{"type": …, "loc": …, "msg": …, "input": …}, …]}`, no more'
)
FORMS = "Section 1: nothing that the front-end's forms can send may get a 422, but one sentence"
SLASHES = "Section 1: with and without a trailing slash both answer directly"
NEGATIVE = "Section 1: negative values give 422"
HUGE = "Section 5, 500 where it should be 4xx: huge `limit`, `offset`, `page`"
MUST_BE = {
    "string_type": "a text",
    "url_type": "a URL",
    "float_parsing": "a number",
    "dict_type": "an object",
    "list_type": "a list",
    "model_attributes_type": "an object",
}
OWN_WORDS = tuple(
    f"Value error, {begin}"
    for begin in ("Agent name", "Flow name", "Agentflow", "Chat title", "'max_last_messages'")
)
KEYS = "Section 1: `user_id` with a missing or wrong key: 401"
CREDENTIALS = "Section 1: no or bad credentials: 401, `WWW-Authenticate: Bearer`"
CLAIMS = "Section 5, 500 where it should be 4xx: tokens with a good signature and odd claims"


def differences(cases: Sequence[Case]) -> list[Difference]:
    """Those that apply to some of an area's cases."""
    every = [
        *(_slash(case, cases) for case in cases if is_redirect(case)),
        *(_typed(case) for case in cases if _was_typed(case)),
        wherever(FORM_OF_FAULTS, _has_context, edits(_without_context)),
        *(each for case in cases for each in _bad_numbers(case)),
        wherever(KEYS, _is_without_key, NOT_AUTHENTICATED),
        wherever(CREDENTIALS, _is_refused_with_400, DEAD_TOKEN),
        wherever(CREDENTIALS, _is_without_scheme, NOT_AUTHENTICATED),
        wherever(CLAIMS, _has_odd_claims, DEAD_TOKEN),
    ]
    return [each for each in every if any(each.applies(case) for case in cases)]


def is_redirect(case: Case) -> bool:
    """Whether the original only sent the client to the path with or without the slash."""
    return case.answer.status == 307 and case.call.path != "/"


def _slash(redirect: Case, cases: Sequence[Case]) -> Difference:
    """Reading: what was answered at the other path. Areas say what comes of writing."""
    before = cases[: cases.index(redirect)]
    twins = [case.answer for case in before if _is_twin(case, redirect)]
    return wherever(SLASHES, lambda case: bool(twins) and case == redirect, lambda _: twins[-1])


def _is_twin(case: Case, redirect: Case) -> bool:
    one, other = case.call, redirect.call
    same = (one.method, one.headers, one.query) == (other.method, other.headers, other.query)
    paths = one.path.rstrip("/") == other.path.rstrip("/")
    return same and paths and one.path != other.path and one.method == "GET"


def _was_typed(case: Case) -> bool:
    """Whether the recorded 422 is about what somebody wrote into a field."""
    faults = _faults(case.answer)
    return case.answer.status == 422 and all(map(_is_of_field, faults))


def _is_of_field(fault: dict[str, Any]) -> bool:
    place, *way = fault["loc"]
    is_told = fault["type"] in MUST_BE or fault["msg"].startswith(OWN_WORDS)
    return place == "body" and bool(way) and is_told


def _typed(case: Case) -> Difference:
    """One sentence about the first fault."""
    [fault, *_] = _faults(case.answer)
    field = ".".join(map(str, fault["loc"][1:])).partition(".dict[")[0]
    if fault["type"] in MUST_BE:
        told = f"'{field}' must be {MUST_BE[fault['type']]}"
    elif "name must be" in fault["msg"]:
        told = "'name' must have at most 55 characters"
    else:
        told = fault["msg"].removeprefix("Value error, ")
    return wherever(FORMS, partial(eq, case), refuses(told))


def _has_context(case: Case) -> bool:
    return not _was_typed(case) and any("ctx" in fault for fault in _faults(case.answer))


def _faults(answer: Answer) -> list[dict[str, Any]]:
    detail = answer.body.get("detail") if isinstance(answer.body, dict) else None
    return detail if isinstance(detail, list) else []


def _without_context(body: Any) -> Any:
    faults = body["detail"]
    return {"detail": [{k: v for k, v in fault.items() if k != "ctx"} for fault in faults]}


def _bad_numbers(case: Case) -> Iterator[Difference]:
    """The 422 for a number that no list can take."""
    for name in ("limit", "offset", "page"):
        value = (case.call.query or {}).get(name, 0)
        if case.answer.status != 500 or not isinstance(value, int):
            continue
        fault = None
        if value < 0:
            fault = "greater_than_equal", "Input should be greater than or equal to 0"
        elif value > LARGEST:
            fault = "int_parsing_size", "Input should be an integer of 64 bits"
        if fault is not None:
            kind, message = fault
            change = finds(kind, ["query", name], message, str(value))
            yield wherever(NEGATIVE if value < 0 else HUGE, partial(eq, case), change)


def _is_without_key(case: Case) -> bool:
    return "(defect)" in case.name and "user_id" in (case.call.query or {})


def _is_refused_with_400(case: Case) -> bool:
    return bool(case.answer.body == {"detail": "JWT token is invalid or expired"})


def _is_without_scheme(case: Case) -> bool:
    sent = case.call.headers.get("Authorization", "")
    return (
        sent.endswith("<token:A>")
        and not sent.lower().startswith("bearer")
        and (case.answer.status == 200)
    )


def _has_odd_claims(case: Case) -> bool:
    sent = case.call.headers.get("Authorization", "")
    return (
        case.answer.status == 500
        and "<token:" in sent
        and not sent.endswith(("<token:A>", "<token:B>"))
    )
