"""How Python and `genai-protocol` say that a function was called with other arguments than it has.

Such a call never ran: that is how the form of the payload is found that a master agent knows.
"""

import re

_mismatch = re.compile(r"unexpected keyword argument|missing \d+ required")
# One frame only, the library's own: a function that ran and called another in vain is in it too.
_traceback = re.compile(
    r"Traceback \(most recent call last\):\n"
    r"  File [^\n]*, in _handle_agent_request\n"
    r"(?!.*^  File ).*"
    r"^TypeError: [^\n]*\Z",
    re.DOTALL | re.MULTILINE,
)
# Of 1.x, and of 2.x.
_record = re.compile(r'\{(?:"invoked_by": "(?:[^"\\]|\\.)*", )?"request_payload": ')


def is_mismatch(error: str) -> bool:
    """Whether an error says that the function never ran, for its arguments."""
    return _mismatch.search(error) is not None


def is_traceback_of_mismatch(logged: str) -> bool:
    """Whether a log entry is what the library says of such a call."""
    return _traceback.match(logged.rstrip()) is not None and is_mismatch(logged)


def is_record_of_call(logged: str) -> bool:
    """Whether a log entry is the library's record of what a function is about to be given."""
    return _record.match(logged) is not None
