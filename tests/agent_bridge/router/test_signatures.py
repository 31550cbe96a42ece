"""Calls that never ran are told from those that did, by what Python and the library say."""

import pytest

from agent_bridge.router.signatures import (
    is_mismatch,
    is_record_of_call,
    is_traceback_of_mismatch,
)

HEAD = """Traceback (most recent call last):
  File "/app/genai_session/session.py", line 383, in _handle_agent_request
    result = await self.agent.handler(agent_context=agent_context, **request_payload)
                   ^^^^^^^^^^^^^^^^^^
"""
INNER = """  File "/app/tools.py", line 7, in handler
    return await tool(message=message)
                 ^^^^^^^^^^^^^^^^^^^^^
"""
UNEXPECTED = "TypeError: handler() got an unexpected keyword argument 'message'"
MISSING = "TypeError: run() missing 2 required positional arguments: 'message' and 'agents'"


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("error", [UNEXPECTED, MISSING])
def test_what_the_library_says_of_a_call_that_never_ran(error: str, end: str) -> None:
    assert is_traceback_of_mismatch(HEAD + error + end)
    assert is_mismatch(error)


@pytest.mark.parametrize(
    "logged",
    [
        HEAD + INNER + UNEXPECTED,
        HEAD + INNER + MISSING,
        HEAD + "TypeError: unsupported operand",
        HEAD + "ValueError: unexpected keyword argument",
        UNEXPECTED,
        f"it failed: {HEAD}{UNEXPECTED}",
        HEAD + UNEXPECTED + "\nand more",
        "",
    ],
)
def test_what_is_said_of_a_call_that_ran_is_something_else(logged: str) -> None:
    assert not is_traceback_of_mismatch(logged)


@pytest.mark.parametrize(
    ("logged", "is_record"),
    [
        (r'{"invoked_by": "a\"b", "request_payload": {"message": "m"}}', True),
        ('{"request_payload": {}, "is_start_execution": true}', True),
        ('{"execution_time": 1, "response": "request_payload"}', False),
        ('{"invoked_by": "a", "response": {"request_payload": 1}}', False),
        ("request_payload", False),
    ],
)
def test_the_library_s_record_of_a_call_is_known(logged: str, is_record: bool) -> None:
    assert is_record_of_call(logged) is is_record
