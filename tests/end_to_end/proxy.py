"""HAProxy with the configuration of `compose.yaml`, and the names that it follows to replicas."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import inet_aton, socket
from socketserver import BaseRequestHandler, UDPServer
from struct import pack
from threading import Thread
from urllib.request import urlopen

import pytest
from attrs import define, frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import NameOID

from devstack.processes import HOST, Child, free_port, start_child, stopping, wait_until_ready
from tests.system import PROJECT

CONFIGURATION = PROJECT / "devstack" / "haproxy.cfg"
SERVERS = PROJECT / "devstack" / "haproxy-servers.cfg"
SAMPLE = re.compile(
    r'^haproxy_server_(\w+){proxy="(\w+)",server="\w+"(?:,state="UP")?} (\S+)$', re.MULTILINE
)
NO_ERROR_ONE_QUESTION = b"\x81\x80\0\1"
FOR_ONE_SECOND = pack(">HHHIH", 0xC00C, 1, 1, 1, 4)  # the name that was asked for, A, IN


@define
class Names:
    """What a name means, like Docker's for a service: the addresses of its replicas."""

    addresses: list[str]


@frozen
class Proxy:
    """A running proxy; who the gateways and bridges are can be changed at any time."""

    url: str
    tls_url: str
    agents_url: str
    agents_tls_url: str
    status_url: str
    gateways: Names
    bridges: Names
    child: Child

    def log(self) -> str:
        """All that it has written."""
        return self.child.log.read_text()

    def values(self, name: str, backend: str = "ready") -> list[float]:
        """What it measures of each replica, the least first; of `status` 1 for those it uses."""
        with urlopen(f"{self.status_url}/metrics", timeout=5) as answer:  # noqa: S310 (ours)
            samples = SAMPLE.findall(answer.read().decode())
        wanted = [float(value) for each, of, value in samples if (each, of) == (name, backend)]
        return sorted(value for value in wanted if value)


def find_program(name: str) -> str:
    """The program, from the PATH or as `make test` unpacks it."""
    folders = [os.environ["PATH"], "/usr/sbin", str(PROJECT / ".tools" / "bin")]
    program = shutil.which(name, path=os.pathsep.join(folders))
    if program is None:
        pytest.fail(f"{name} is missing: `make test` gets it, or install it.", pytrace=False)
    return program


def start_proxy(folder: Path, servers: Path, **environment: str) -> Child:
    """HAProxy by the file that is for production, in front of the servers that another one has."""
    return start_child(
        "proxy",
        [find_program("haproxy"), "-db", "-f", CONFIGURATION, "-f", servers],
        folder / "proxy.log",
        environment={**os.environ, **environment},
    )


@contextmanager
def run_proxy(
    folder: Path, gateway_port: int, addresses: list[str], **more: str
) -> Iterator[Proxy]:
    """A proxy in front of the gateways that listen on one port of the addresses.

    Bridges are those of `PROXY_DOORS` and `PROXY_BRIDGE_PORT`, once it is told their addresses.
    """
    port, tls_port, agents_port, agents_tls_port, status_port = (free_port() for _ in range(5))
    gateways, bridges = Names(addresses), Names([])
    with _run_names({"gateway": gateways, "bridge": bridges}) as names_port:
        child = start_proxy(
            folder,
            SERVERS,
            PROXY_BIND=f"{HOST}:{port}",
            PROXY_TLS_BIND=f"{HOST}:{tls_port}",
            PROXY_AGENTS_BIND=f"{HOST}:{agents_port}",
            PROXY_AGENTS_TLS_BIND=f"{HOST}:{agents_tls_port}",
            PROXY_STATUS_BIND=f"{HOST}:{status_port}",
            PROXY_RESOLVER=f"{HOST}:{names_port}",
            PROXY_GATEWAYS=f"gateway:{gateway_port}",
            **more,
        )
        with stopping(child):
            wait_until_ready(child, lambda: listens(status_port))
            yield Proxy(
                url=f"http://{HOST}:{port}",
                tls_url=f"https://{HOST}:{tls_port}",
                agents_url=f"ws://{HOST}:{agents_port}/ws",
                agents_tls_url=f"wss://{HOST}:{agents_tls_port}/ws",
                status_url=f"http://{HOST}:{status_port}",
                gateways=gateways,
                bridges=bridges,
                child=child,
            )


@contextmanager
def _run_names(names: dict[str, Names]) -> Iterator[int]:
    """The port of a name server."""

    class Answer(BaseRequestHandler):
        def handle(self) -> None:
            query, sender = self.request
            sender.sendto(_answer(query, _named(query, names)), self.client_address)

    with UDPServer((HOST, 0), Answer) as server:
        thread = Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def _named(query: bytes, names: dict[str, Names]) -> list[str]:
    """The addresses of the name of one label that is asked for."""
    label = query[13 : 13 + query[12]].decode()
    return names[label].addresses if label in names else []


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


def make_certificate(folder: Path) -> Path:
    """A file with a key and a certificate that is signed with it."""
    key, now = generate_private_key(SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    pem = builder.sign(key, SHA256()).public_bytes(Encoding.PEM)
    pem += key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "site.pem"
    path.write_bytes(pem)
    return path
