"""HAProxy in front of gateways and bridges whose addresses are written down."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import run
from threading import Thread
from urllib.request import urlopen

import pytest

from devstack.processes import HOST, free_port, stopping, wait_until_ready
from tests.docs.pages import PROJECT
from tests.end_to_end.proxy import CONFIGURATION, SERVERS, find_program, listens, start_proxy

BY_ADDRESS = PROJECT / "deploy/haproxy/servers.cfg"


@contextmanager
def answering(name: str, *, ready: bool) -> Iterator[int]:
    """The port of somebody who says his name, and whether he is ready."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if ready or self.path != "/ready" else 503)
            self.end_headers()
            self.wfile.write(name.encode())

        def log_message(self, format: str, *values: object) -> None:  # noqa: A002
            """Nothing: each second a check."""

    with ThreadingHTTPServer((HOST, 0), Answer) as server:
        thread = Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def ask(port: int) -> str:
    with urlopen(f"http://{HOST}:{port}/", timeout=5) as answer:
        text: str = answer.read().decode()
    return text


@contextmanager
def proxy(folder: Path, ports: dict[str, int]) -> Iterator[tuple[int, int]]:
    """The ports for front-ends and for agents; servers have others than in the file."""
    servers = folder / "servers.cfg"
    text = BY_ADDRESS.read_text()
    servers.write_text(re.sub(r"\b8[012]0[12]\b", lambda port: str(ports[port[0]]), text))
    public, agents, status = free_port(), free_port(), free_port()
    child = start_proxy(
        folder,
        servers,
        PROXY_BIND=f"{HOST}:{public}",
        PROXY_AGENTS_BIND=f"{HOST}:{agents}",
        PROXY_STATUS_BIND=f"{HOST}:{status}",
    )
    with stopping(child):
        wait_until_ready(child, lambda: listens(status) and are_down(status))
        yield public, agents


def are_down(status: int) -> bool:
    """Whether the checks miss the first of each: until then it is taken to be there."""
    with urlopen(f"http://{HOST}:{status}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    down = re.findall(
        r'^haproxy_server_status{proxy="(\w+)",server="\w+-01",state="DOWN"} 1$', text, re.MULTILINE
    )
    return {"ready", "doors"} <= set(down)


@pytest.mark.parametrize("servers", [SERVERS, BY_ADDRESS], ids=["names", "addresses"])
def test_haproxy_takes_the_configuration(servers: Path) -> None:
    done = run(
        [find_program("haproxy"), "-c", "-f", CONFIGURATION, "-f", servers],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr


def test_those_who_are_ready_are_asked(tmp_path: Path) -> None:
    with ExitStack() as stack:
        going, gateway, door, bridge = (
            stack.enter_context(answering(name, ready=ready))
            for name, ready in [
                ("going", False),
                ("gateway", True),
                ("door", True),
                ("bridge", True),
            ]
        )
        nobody = free_port()
        ports = {
            "8001": going,
            "8002": gateway,
            "8101": nobody,
            "8201": nobody,
            "8102": bridge,
            "8202": door,
        }
        public, agents = stack.enter_context(proxy(tmp_path, ports))
        assert {ask(public) for _ in range(4)} == {"gateway"}
        assert ask(agents) == "door"
