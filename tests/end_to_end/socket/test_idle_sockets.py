"""What 2,000 idle sockets cost a gateway, and what is left when they have gone."""

import asyncio
import resource
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from attrs import frozen

from tests.system import Stores, System
from tests.users import User, eventually, register_user

SOCKETS = 2_000
AT_A_TIME = 50
SPARE_FILES = 200  # of either process, besides the sockets
KIB_EACH = 32
LEFT_KIB_EACH = 6

type Client = asyncio.StreamWriter


@frozen
class Figures:
    """Resident memory in KiB."""

    idle: int
    opened: int
    closed: int
    opened_again: int
    closed_again: int

    @property
    def each(self) -> float:
        """What a socket takes that is there for the first time."""
        return (self.opened - self.idle) / SOCKETS

    @property
    def growth_each(self) -> float:
        """What the second round takes more than the first."""
        return (self.opened_again - self.opened) / SOCKETS


@pytest.fixture
def gateway(stores: Stores) -> Iterator[System]:
    """A gateway alone; both processes may have as many files as the sockets take."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, SOCKETS + SPARE_FILES), hard))
    try:
        with stores.system(SOCKETS_PER_USER="0") as system:
            system.start_gateway()
            yield system
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_idle_sockets_take_little_memory_and_leave_none_behind(gateway: System) -> None:
    pid = gateway.children["gateway 1"].pid
    async with register_user(gateway.gateway) as user:
        await _come_and_go(user, AT_A_TIME, pid)  # what is loaded only once
        idle = _resident(pid)
        opened, closed = await _come_and_go(user, SOCKETS, pid)
        opened_again, closed_again = await _come_and_go(user, SOCKETS, pid)
    figures = Figures(idle, opened, closed, opened_again, closed_again)
    print(f"\n{SOCKETS} idle sockets: {figures}, {figures.each:.1f} KiB each")
    assert figures.each < KIB_EACH
    assert figures.growth_each < LEFT_KIB_EACH


async def _come_and_go(user: User, count: int, pid: int) -> tuple[int, int]:
    """Resident memory with so many sockets more, and when they have gone."""
    files = _open_files(pid)
    clients: list[Client] = []
    for _ in range(0, count, AT_A_TIME):
        clients += await asyncio.gather(*(_open(user) for _ in range(AT_A_TIME)))
    opened = _resident(pid)
    for client in clients:
        client.close()
    await asyncio.gather(*(client.wait_closed() for client in clients))

    async def all_are_gone() -> bool:
        return _open_files(pid) <= files + SPARE_FILES // 10

    await eventually(all_are_gone, "all sockets are closed")
    return opened, _resident(pid)


async def _open(user: User) -> Client:
    """A socket of a session of its own, by as little as a client can do."""
    url = user.http.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port, limit=1024)
    query = urlencode({"token": user.token, "session_id": uuid4()})
    key = b64encode(bytes(16)).decode()
    head = (
        f"GET /frontend/ws?{query} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    writer.write(head.encode())
    assert b"101" in await reader.readline()
    return writer


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1])


def _open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
