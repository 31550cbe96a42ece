"""One server, or many that stand together, as child processes."""

import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from attrs import field, frozen
from redis import Redis
from redis.crc import key_slot

from devstack.processes import (
    HOST,
    Child,
    free_port,
    start_child,
    stopping,
    wait_until_ready,
)
from tests.estates.certificates import Certificates

MASTER = "mymaster"
SENTINELS = 3
SLOTS = 16384
DOWN_MILLISECONDS = 1500
OURS = key_slot(b"genai")
QUICK = {"save": '""', "repl-diskless-sync-delay": "0"}  # it keeps nothing, and has replicas soon


@frozen
class Node:
    """A running server."""

    port: int
    child: Child
    tls_port: int = 0

    @property
    def client_port(self) -> int:
        """Where clients are to come in: by TLS, if it has that."""
        return self.tls_port or self.port

    def ask(self, *command: Any) -> Any:
        """What it answers."""
        with Redis(host=HOST, port=self.port) as client:
            return client.execute_command(*command)

    def freeze(self) -> None:
        """It answers nobody, and its connections stay."""
        os.kill(self.child.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        os.kill(self.child.pid, signal.SIGCONT)


@frozen
class Estate:
    """Servers of which one is the master of all that is ours, for a URL."""

    url: str
    nodes: list[Node]
    find: Callable[[], int]
    """The port of the master, as somebody who lives knows it."""
    hand_over: Callable[[], object]
    """Make the replica the master, with both alive."""
    is_whole: Callable[[], bool]
    """Whether there is a replica that could become the master."""
    sentinels: list[Node] = field(factory=list)

    @property
    def master(self) -> Node:
        """The one that is it now."""
        port = self.find()
        return next(node for node in self.nodes if port in {node.port, node.tls_port})


@contextmanager
def run_node(
    folder: Path,
    program: Path,
    settings: Mapping[str, str] | None = None,
    *,
    flags: Sequence[str] = (),
    certificates: Certificates | None = None,
    port: int = 0,
) -> Iterator[Node]:
    """A server with a folder of its own; with certificates it has one more port, for TLS.

    The other port is for whoever looks after it.
    """
    port, tls_port = port or free_port(), free_port() if certificates else 0
    folder.mkdir(parents=True, exist_ok=True)
    all_settings = {"port": str(port), "bind": HOST, "dir": str(folder), **(settings or {})}
    if certificates:
        all_settings |= {"tls-port": str(tls_port), **certificates.settings}
    configuration = folder / "server.conf"
    configuration.write_text("".join(f"{name} {value}\n" for name, value in all_settings.items()))
    child = start_child(
        folder.name,
        [program, configuration, *flags],
        folder / "server.log",
        environment={**os.environ, "LC_ALL": "C"},
    )
    with stopping(child):
        wait_until_ready(child, lambda: _answers(port))
        yield Node(port, child, tls_port)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith((b"+PONG", b"-NOAUTH"))
    except (ConnectionError, TimeoutError):
        return False


@contextmanager
def run_sentinels(
    folder: Path, program: Path, certificates: Certificates | None = None
) -> Iterator[Estate]:
    """A master with a replica, and Sentinels; with certificates they all talk by TLS."""
    with ExitStack() as stack:

        def start(name: str, settings: Mapping[str, str], *flags: str) -> Node:
            running = run_node(
                folder / name, program, settings, flags=flags, certificates=certificates
            )
            return stack.enter_context(running)

        master = start("master", QUICK)
        replica = start("replica", {**QUICK, "replicaof": f"{HOST} {master.client_port}"})
        settings = watching(master.client_port)
        sentinels = [start(f"sentinel-{n}", settings, "--sentinel") for n in range(SENTINELS)]
        first = sentinels[0]
        estate = Estate(
            f"redis+sentinel://{_places(sentinels)}/{MASTER}",
            [master, replica],
            lambda: int(first.ask("SENTINEL GET-MASTER-ADDR-BY-NAME", MASTER)[1]),
            lambda: first.ask("SENTINEL FAILOVER", MASTER),
            lambda: all(map(sees_a_replica, sentinels)),
            sentinels,
        )
        wait_until_ready(first.child, estate.is_whole)
        yield estate


def watching(port: int) -> dict[str, str]:
    """The settings of a Sentinel for the master at this port."""
    return {
        "sentinel monitor": f"{MASTER} {HOST} {port} 2",
        "sentinel down-after-milliseconds": f"{MASTER} {DOWN_MILLISECONDS}",
        "sentinel failover-timeout": f"{MASTER} 1000",
    }


def _places(nodes: list[Node]) -> str:
    return ",".join(f"{HOST}:{node.client_port}" for node in nodes)


def sees_a_replica(sentinel: Node) -> bool:
    """It, and all the others."""
    [master] = sentinel.ask("SENTINEL MASTERS").values()
    replicas = sentinel.ask("SENTINEL SLAVES", MASTER)
    return (
        master["num-other-sentinels"] == SENTINELS - 1
        and [each["flags"] for each in replicas] == ["slave"]
        and replicas[0]["master-link-status"] == "ok"
    )


@contextmanager
def run_cluster(
    folder: Path, program: Path, certificates: Certificates | None = None
) -> Iterator[Estate]:
    """Three masters that have the slots, and a replica of the one that has ours."""
    with ExitStack() as stack:
        nodes: list[Node] = []
        for number in range(4):
            settings = {
                **QUICK,
                "cluster-enabled": "yes",
                "cluster-node-timeout": str(DOWN_MILLISECONDS),
                "cluster-port": str(free_port()),
                **({"tls-cluster": "yes"} if certificates else {}),
            }
            running = run_node(
                folder / f"node-{number}", program, settings, certificates=certificates
            )
            nodes.append(stack.enter_context(running))
        masters, replica = nodes[:3], nodes[3]
        for number, node in enumerate(masters):
            first, last = SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1
            node.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in nodes[1:]:
            cluster_port = int(node.ask("CONFIG GET", "cluster-port")["cluster-port"])
            nodes[0].ask("CLUSTER MEET", HOST, node.client_port, cluster_port)
        owner = masters[OURS * 3 // SLOTS]
        known = owner.ask("CLUSTER", "MYID").decode()
        wait_until_ready(replica.child, lambda: known in _nodes_at(replica))
        replica.ask("CLUSTER", "REPLICATE", known)
        bystander = next(node for node in masters if node is not owner)
        ours = [owner, replica]
        estate = Estate(
            f"redis+cluster://{_places(nodes)}",
            nodes,
            lambda: _owner(bystander),
            lambda: next(node for node in ours if _role(node) == "slave").ask("CLUSTER FAILOVER"),
            lambda: (
                {_role(node) for node in ours} == {"master", "slave"} and all(map(_is_whole, nodes))
            ),
        )
        wait_until_ready(owner.child, estate.is_whole)
        yield estate


def _role(node: Node) -> str:
    return str(node.ask("ROLE")[0].decode())


def give_slot_away(estate: Estate) -> None:
    """Give our slot, and what is in it, to another master of a Cluster."""
    giver = estate.master
    ids = {node.port: node.ask("CLUSTER MYID").decode() for node in estate.nodes}
    masters = [node for node in estate.nodes if _role(node) == "master"]
    taker = next(node for node in masters if node is not giver)
    taker.ask("CLUSTER SETSLOT", OURS, "IMPORTING", ids[giver.port])
    giver.ask("CLUSTER SETSLOT", OURS, "MIGRATING", ids[taker.port])
    for key in giver.ask("CLUSTER GETKEYSINSLOT", OURS, 1000):
        giver.ask("MIGRATE", HOST, taker.port, key, 0, 1000)
    for node in (taker, giver, *(each for each in masters if each not in {taker, giver})):
        node.ask("CLUSTER SETSLOT", OURS, "NODE", ids[taker.port])


def _nodes_at(node: Node) -> str:
    return str(node.ask("CLUSTER NODES"))


def _is_whole(node: Node) -> bool:
    """All slots are there for it, and it has what its master has, if it is a replica."""
    role, *state = node.ask("ROLE")
    has_all = role == b"master" or state[2] == b"connected"
    return has_all and bool(node.ask("CLUSTER INFO")["cluster_state"] == "ok")


def _owner(node: Node) -> int:
    """The port of the node that has our slot, as this one tells."""
    for first, last, master, *_ in node.ask("CLUSTER SLOTS"):
        if first <= OURS <= last:
            return int(master[1])
    raise LookupError("nobody has it")
