"""A Redis of an installation's own, whose master dies, hangs or hands over, and its Sentinels."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import define
from redis.exceptions import ResponseError

from devstack.processes import HOST, Child, free_port, wait_until_ready
from tests.estates.programs import program_of
from tests.estates.running import (
    MASTER,
    QUICK,
    SENTINELS,
    Node,
    run_node,
    sees_a_replica,
    watching,
)
from tests.faults.mortal import Mortal, stopping_mortal

PROGRAM = "Valkey 9.1"
CHANGED_SECONDS = 15.0


@define
class Sentinels:
    """A master, a replica, and the Sentinels that say which is which."""

    _nodes: dict[int, Mortal[Node]]
    _sentinels: list[Mortal[Node]]

    @property
    def url(self) -> str:
        """What the services are told."""
        places = ",".join(f"{HOST}:{each.server.port}" for each in self._sentinels)
        return f"redis+sentinel://{places}/{MASTER}"

    @property
    def port(self) -> int:
        """That of the master, as the Sentinels know it."""
        named = self._sentinels[0].server.ask("SENTINEL GET-MASTER-ADDR-BY-NAME", MASTER)
        return int(named[1])

    @property
    def master(self) -> Child:
        """The master of the moment."""
        return self._nodes[self.port].server.child

    def start(self) -> None:
        """Start all."""
        first, second = self._nodes
        self._nodes[first].start()
        self._nodes[second].start(settings={**QUICK, "replicaof": f"{HOST} {first}"})
        for sentinel in self._sentinels:
            sentinel.start(settings=watching(first), flags=["--sentinel"])
        wait_until_ready(self.master, self._is_whole)

    def stop(self) -> None:
        """Stop all."""
        for each in (*self._sentinels, *self._nodes.values()):
            each.stop()

    def kill(self) -> int:
        """Crash the master; returns its port."""
        port = self.port
        self._nodes[port].kill()
        return port

    def restart(self, port: int) -> None:
        """Start the one that was killed, as the replica of another that is the master by now."""
        follows = {} if port == self.port else {"replicaof": f"{HOST} {self.port}"}
        self._nodes[port].start(settings={**QUICK, **follows})

    def hand_over(self) -> None:
        """Have the replica be the master, when there is one to be; both live."""
        old, first = self.port, self._sentinels[0].server
        wait_until_ready(first.child, self._is_whole)

        def has_begun() -> bool:
            try:
                first.ask("SENTINEL FAILOVER", MASTER)
            except ResponseError:  # there is one under way, or no replica is good enough yet
                return self.port != old
            return True

        wait_until_ready(first.child, has_begun)
        end = time.monotonic() + CHANGED_SECONDS
        while self.port == old:
            assert time.monotonic() < end, "the replica does not become the master"
            time.sleep(0.05)

    def _is_whole(self) -> bool:
        return all(sees_a_replica(each.server) for each in self._sentinels)


@contextmanager
def hold_sentinels() -> Iterator[Sentinels]:
    """Servers that are to be started, with folders and ports of their own."""
    with TemporaryDirectory() as name, ExitStack() as stack:

        def hold(part: str) -> tuple[int, Mortal[Node]]:
            port = free_port()
            program = program_of(PROGRAM)
            run = partial(run_node, Path(name) / part, program, settings=QUICK, port=port)
            return port, stack.enter_context(stopping_mortal(Mortal(run)))

        nodes = dict(hold(f"node-{number}") for number in range(2))
        sentinels = [hold(f"sentinel-{number}")[1] for number in range(SENTINELS)]
        yield Sentinels(nodes, sentinels)
