"""What few need, had when it is first wanted: in a thread, as that takes long, and once for all."""

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


class Once[Made]:
    """What is made when it is first asked for; whoever asks meanwhile waits for it."""

    def __init__(self, make: Callable[[], Made]) -> None:
        """What it raises is raised to who asks, and the next one has it tried again."""
        self._make = make
        self._made: Made | None = None
        self._making = asyncio.Lock()

    async def get(self) -> Made:
        """It, as soon as it is there; others are served meanwhile."""
        if self._made is None:
            async with self._making:
                if self._made is None:
                    self._made = await asyncio.to_thread(self._make)
        return self._made
