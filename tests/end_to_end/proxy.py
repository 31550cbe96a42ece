"""HAProxy with the configuration of `compose.yaml`, and the names that it follows to gateways."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import inet_aton, socket
from socketserver import BaseRequestHandler, UDPServer
from struct import pack
from threading import Thread
from urllib.request import urlopen

import pytest
from attrs import define, frozen

from devstack.processes import HOST, Child, free_port, start_child, stopping, wait_until_ready
from tests.system import PROJECT

CONFIGURATION = PROJECT / "devstack" / "haproxy.cfg"
SAMPLE = re.compile(
    r'^haproxy_server_(\w+){proxy="ready",server="\w+"(?:,state="UP")?} (\S+)$', re.MULTILINE
)
NO_ERROR_ONE_QUESTION = b"\x81\x80\0\1"
FOR_ONE_SECOND = pack(">HHHIH", 0xC00C, 1, 1, 1, 4)  # the name that was asked for, A, IN


@define
class Names:
    """A name server to which every name means the same addresses, like Docker's for a service."""

    addresses: list[str]
    port: int = 0


@frozen
class Proxy:
    """A running proxy; `gateways` can be changed at any time."""

    url: str
    tls_url: str
    status_url: str
    gateways: Names
    child: Child

    def log(self) -> str:
        """All that it has written."""
        return self.child.log.read_text()

    def values(self, name: str) -> list[float]:
        """What it measures of each gateway, the least first; of `status` 1 for those it uses."""
        with urlopen(f"{self.status_url}/metrics", timeout=5) as answer:  # noqa: S310 (ours)
            samples = SAMPLE.findall(answer.read().decode())
        return sorted(float(value) for each, value in samples if each == name and float(value))


def find_program(name: str) -> str:
    """The program, from the PATH or as `make test` unpacks it."""
    folders = [os.environ["PATH"], "/usr/sbin", str(PROJECT / ".tools" / "bin")]
    program = shutil.which(name, path=os.pathsep.join(folders))
    if program is None:
        pytest.fail(f"{name} is missing: `make test` gets it, or install it.", pytrace=False)
    return program


@contextmanager
def run_proxy(
    folder: Path, gateway_port: int, addresses: list[str], **more: str
) -> Iterator[Proxy]:
    """A proxy in front of the gateways that listen on one port of the addresses."""
    port, tls_port, status_port = free_port(), free_port(), free_port()
    urls = f"http://{HOST}:{port}", f"https://{HOST}:{tls_port}", f"http://{HOST}:{status_port}"
    with _run_names(Names(addresses)) as names:
        child = start_child(
            "proxy",
            [find_program("haproxy"), "-db", "-f", CONFIGURATION],
            folder / "proxy.log",
            environment={
                **os.environ,
                "PROXY_BIND": f"{HOST}:{port}",
                "PROXY_TLS_BIND": f"{HOST}:{tls_port}",
                "PROXY_STATUS_BIND": f"{HOST}:{status_port}",
                "PROXY_RESOLVER": f"{HOST}:{names.port}",
                "PROXY_GATEWAYS": f"gateway:{gateway_port}",
                **more,
            },
        )
        with stopping(child):
            wait_until_ready(child, lambda: listens(status_port))
            yield Proxy(*urls, names, child)


@contextmanager
def _run_names(names: Names) -> Iterator[Names]:
    class Answer(BaseRequestHandler):
        def handle(self) -> None:
            query, sender = self.request
            sender.sendto(_answer(query, names.addresses), self.client_address)

    with UDPServer((HOST, 0), Answer) as server:
        names.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        try:
            yield names
        finally:
            server.shutdown()
            thread.join()


def _answer(query: bytes, addresses: list[str]) -> bytes:
    """The reply to a query for IPv4 addresses (RFC 1035, section 4)."""
    question = query[12 : query.index(b"\0", 12) + 5]
    counts = pack(">HHH", len(addresses), 0, 0)
    records = b"".join(FOR_ONE_SECOND + inet_aton(address) for address in addresses)
    return query[:2] + NO_ERROR_ONE_QUESTION + counts + question + records


def listens(port: int) -> bool:
    """Whether somebody does."""
    with socket() as client:
        return client.connect_ex((HOST, port)) == 0
