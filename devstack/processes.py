"""A child process of the local stack: in the foreground, with a log, and gone with its parent."""

import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from attrs import frozen

HOST = "127.0.0.1"
PR_SET_PDEATHSIG = 1  # linux/prctl.h
CLAIMS = 50  # ports that were given last, and perhaps not listened on yet

_claims: deque[int] = deque()  # file descriptors


class StackError(Exception):
    """The local stack cannot run; the text is one sentence for the person who started it."""


class ChildEndedError(StackError):
    """A child was gone before it was ready."""


class Process(Protocol):
    """What is used of `subprocess.Popen`."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, number: int, /) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


@frozen
class Child:
    """A running child process. `stop_signal` is what ends it in good order."""

    name: str
    process: Process
    log: Path
    log_start: int  # where its own output begins: the file is kept from start to start
    stop_signal: signal.Signals = signal.SIGTERM

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone, for whatever reason."""
        return self.process.poll() is not None

    def stop(self, timeout: float = 10.0) -> None:
        """End the process in good order, or by force after `timeout` seconds."""
        if not self.has_ended:
            self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the process at once, as a crash would, and reap it."""
        self.process.kill()
        self.process.wait()

    def last_lines(self, count: int = 15) -> str:
        """The end of what it has logged."""
        with self.log.open("rb") as log:
            log.seek(self.log_start)
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-count:])


def start_child(
    name: str,
    command: Sequence[str | Path],
    log: Path,
    *,
    environment: Mapping[str, str],
    folder: Path | None = None,
    user: int | None = None,
    group: int | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    death_signal: signal.Signals = signal.SIGKILL,
) -> Child:
    """Start a child that gets `death_signal` when this process dies, however it dies.

    It has a session of its own: Ctrl-C in a terminal reaches only the parent, which stops its
    children in order. Call it from the main thread: the kernel watches the thread that forked.
    """
    with log.open("ab") as output:
        log_start = output.tell()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            user=user,
            group=group,
            extra_groups=None if user is None else [],
            start_new_session=True,
            preexec_fn=dying_with(os.getpid(), death_signal),  # noqa: PLW1509 (takes no locks)
        )
    return Child(name, process, log, log_start, stop_signal)


def dying_with(parent: int, death_signal: signal.Signals) -> Callable[[], None] | None:
    """What a child does after its fork, to get that signal when its parent dies.

    A preexec function and not `setpriv --pdeathsig`, which slim images and macOS lack. It runs
    after the change of user, which would clear the setting. Elsewhere than on Linux there is
    no such thing, and a killed parent leaves its children.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def bind_to_parent() -> None:
        prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above
            os.kill(os.getpid(), signal.SIGKILL)

    return bind_to_parent


@contextmanager
def stopping(child: Child, timeout: float = 10.0) -> Iterator[Child]:
    """Stop the child at the end of the block."""
    try:
        yield child
    finally:
        child.stop(timeout)


def wait_until_ready(child: Child, is_ready: Callable[[], bool], timeout: float = 30.0) -> None:
    """Return once `is_ready`; raises ChildEndedError, or StackError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not is_ready():
        if child.has_ended:
            raise ChildEndedError(
                f"{child.name} ended at once; its log ends:\n{child.last_lines()}"
            )
        if time.monotonic() > deadline:
            raise StackError(f"{child.name} was not ready in {timeout:.0f} s: see {child.log}")
        time.sleep(0.05)


def free_port() -> int:
    """A port of this machine that nobody listens on now, and nobody else was given just now.

    Not one of those that the system gives to outgoing connections (32768 and up on Linux): one of
    them might take it before whoever asked listens. That it was given shows in UDP's port of the
    same number, which is held for a while.
    """
    while True:
        port = random.randrange(15_000, 32_000)  # noqa: S311
        with suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as claim:
            claim.bind((HOST, port))
            socket.create_server((HOST, port)).close()
            _claims.append(claim.detach())
            if len(_claims) > CLAIMS:
                os.close(_claims.popleft())
            return port


def require_free_port(name: str, port: int) -> None:
    """Raise StackError when somebody listens on the port already."""
    try:
        socket.create_server((HOST, port)).close()
    except (OSError, OverflowError) as fault:
        number = getattr(fault, "errno", None)
        reason = os.strerror(number) if number else str(fault)
        raise StackError(f"{name} cannot have port {port}: {reason}") from None


def say(what: str) -> None:
    """Tell whoever started the stack what is being done."""
    print(f"{what} …", flush=True)
