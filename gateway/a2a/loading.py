"""Loads what needs the package for A2A when it is first called: most gateways never are."""

from importlib import import_module
from typing import Any


def load(name: str) -> Any:
    """A module of ours that imports the package; the first time that takes a second or so.

    Without the spans that the package wraps all it does in: they keep each error in a cycle with
    the call that made it, and tell what clients have sent.
    """
    telemetry: Any = import_module("a2a.utils.telemetry")
    telemetry.trace_class = _leave_as_it_is
    return import_module(name)


def _leave_as_it_is(**_: object) -> Any:
    return lambda decorated: decorated
