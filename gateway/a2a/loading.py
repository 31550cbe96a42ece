"""What is done before anything is loaded that needs the package for A2A."""

from importlib import import_module
from typing import Any


def without_spans() -> None:
    """Leave out the spans that the package wraps all it does in.

    They keep each error in a cycle with the call that made it, and tell what clients have sent.
    """
    telemetry: Any = import_module("a2a.utils.telemetry")
    telemetry.trace_class = _leave_as_it_is


def _leave_as_it_is(**_: object) -> Any:
    return lambda decorated: decorated
