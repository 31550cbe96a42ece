"""What strangers may have the router send: JSON of every shape, near to what is known, and none."""

import json
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

type Raw = str | bytes

KNOWN_ID = str(UUID(int=1))
ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=30)  # NULs and half surrogates
NUMBERS = (
    st.integers()
    | st.floats()
    | st.sampled_from([2**63, -(2**64), 10**400, -(10**4200), 1e308, float("inf"), float("nan")])
)
LEAVES = st.none() | st.booleans() | NUMBERS | ANY_TEXT
ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)
KINDS = ["agent_register", "agent_unregister", "agent_log", "agent_response", "agent_error", "new"]
WORDS = st.sampled_from([*KINDS, KNOWN_ID, "master_server_ml", "Agent has been unregistered", ""])
VALUE = WORDS | ANY_JSON

NAMES = [
    "message_type",
    "agent_uuid",
    "agent_jwt",
    "agent_name",
    "agent_description",
    "agent_input_schema",
    "session_id",
    "request_id",
    "log_level",
    "log_message",
    "probe",
    "fence",
    "requests",
    "error_message",
]
MIXED = st.dictionaries(st.sampled_from(NAMES), VALUE, max_size=len(NAMES))
REGISTERED = st.fixed_dictionaries(
    {"message_type": st.just("agent_register"), "agent_uuid": WORDS, "agent_jwt": ANY_TEXT},
    optional={"agent_name": VALUE, "agent_description": VALUE, "agent_input_schema": VALUE},
)
LOGGED = st.fixed_dictionaries(
    {
        "message_type": st.just("agent_log"),
        "agent_uuid": WORDS | ANY_TEXT,
        "session_id": WORDS | ANY_TEXT,
        "request_id": WORDS | ANY_TEXT,
        "log_level": VALUE,
    },
    optional={"log_message": VALUE},
)
LEFT = st.fixed_dictionaries(
    {"message_type": st.just("agent_unregister"), "agent_uuid": WORDS | ANY_TEXT}
)
INVOKED = st.fixed_dictionaries({}, optional={"probe": VALUE, "fence": VALUE, "requests": VALUE})
EVENTS = st.fixed_dictionaries(
    {"request_payload": REGISTERED | LOGGED | LEFT | INVOKED | MIXED | ANY_JSON},
    optional={"invoked_by": VALUE},
)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "message_type": st.just("agent_response") | VALUE,
        "response": ANY_JSON,
        "error": MIXED | ANY_JSON,
        "execution_time": ANY_JSON,
    },
)


def _deep(inside: str) -> str:
    """A frame with many levels where an agent may say anything."""
    payload = f'"message_type": "agent_register", "agent_uuid": "{KNOWN_ID}", "agent_jwt": "x"'
    return f'{{"request_payload": {{{payload}, "agent_input_schema": {inside}}}}}'


AWKWARD: list[Raw] = [
    "",
    b"",
    b"\xff\xfe{}",
    "\0",
    "null",
    "[" * 100_000,
    '{"request_payload": ' * 5_000,
    _deep("[" * 90 + "]" * 90),
    _deep("[" * 900 + "]" * 900),
    _deep('{"a":' * 900 + "NaN" + "}" * 900),
    '{"message_type": "agent_response", "response": ' + "[" * 900 + "]" * 900 + "}",
    '{"message_type": "agent_response", "response": ' + "9" * 5_000 + "}",
    '{"message_type": "agent_response", "response": 1, "execution_time": 1e999}',
    '{"message_type": "agent_response", "response": "\\ud800", "response": "\\udc00\\ud800"}',
    '{"error": {"error_message": "Agent has been unregistered", "agent_uuid": "\\ud800"}}',
    '{"request_payload": {"fence": "\\ud800", "requests": ["\\ud800", 1]}, "invoked_by": ""}',
    '{"request_payload": {"probe": "\\u0000"}, "invoked_by": "\\ud800"}',
    "\ufeff{}",
]
ANY_FRAME: st.SearchStrategy[Raw] = st.one_of(
    EVENTS.map(json.dumps),
    ANSWERS.map(json.dumps),
    (EVENTS | ANSWERS).map(lambda frame: json.dumps(frame).encode()),
    ANY_JSON.map(json.dumps),
    st.text(max_size=30),  # of what UTF-8 can carry
    st.binary(max_size=30),
    st.sampled_from(AWKWARD),
)
