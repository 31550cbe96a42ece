"""Modules that few need, each loaded by its first call: in a thread, as that takes long."""

import asyncio
from collections.abc import Callable
from importlib import import_module
from threading import Lock
from typing import Any

_lock = Lock()  # of two that load what refers to each other, one would see half of it


class Later:
    """The coroutine functions of a module, which is loaded when the first of them is called.

    To the type checker it has to be the module itself:

        if TYPE_CHECKING:
            from gateway.mcp import lookup
        else:
            lookup = Later("gateway.mcp.lookup")
    """

    def __init__(self, name: str, prepare: Callable[[], None] | None = None) -> None:
        """`prepare` is called before it is loaded, in the same thread."""
        self._name = name
        self._prepare = prepare
        self._module: Any = None

    def __getattr__(self, function: str) -> Callable[..., Any]:
        """One of them; what it is called with, returns and raises is its own."""

        async def call(*args: Any, **kwargs: Any) -> Any:
            if self._module is None:
                self._module = await asyncio.to_thread(self.load)
            return await getattr(self._module, function)(*args, **kwargs)

        return call

    def load(self) -> Any:
        """The module; whoever asks for one while another is loaded waits."""
        with _lock:
            if self._prepare is not None:
                self._prepare()
            return import_module(self._name)
