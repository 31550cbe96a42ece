"""Large files pass through the gateway without staying in it."""

from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from pathlib import Path

import httpx2
import psutil
import pytest
from attrs import define

from tests.gateway.files.bucket import run_bucket
from tests.system import System
from tests.users import register_user

MIB = 1024 * 1024
PIECE = bytes(range(256)) * 256
HEAD = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
FORM = {"Content-Type": "multipart/form-data; boundary=B"}


@define
class Memory:
    """How large a process has been."""

    process: psutil.Process
    most: int = 0

    def look(self) -> int:
        """Its own resident bytes now, without the libraries that it reads in when it needs them."""
        memory = self.process.memory_info()
        now = int(memory.rss - memory.shared)
        self.most = max(self.most, now)
        return now


async def form(size: int, memory: Memory) -> AsyncIterator[bytes]:
    yield HEAD
    for _ in range(size // len(PIECE)):
        memory.look()
        yield PIECE
    yield b"\r\n--B--\r\n"


async def download(http: httpx2.AsyncClient, id_: str, memory: Memory) -> bytes:
    """The digest of what came."""
    digest = sha256()
    async with http.stream("GET", f"/files/{id_}", timeout=120) as answer:
        async for chunk in answer.aiter_raw():
            memory.look()
            digest.update(chunk)
    return digest.digest()


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """A size, and the variables of a gateway that keeps files in a folder or a bucket.

    Smaller for the bucket: its server copies the whole object for each range that is read.
    """
    if request.param == "folder":
        yield 160 * MIB, {}
        return
    with run_bucket(tmp_path) as bucket:
        yield 64 * MIB, bucket.variables


async def test_a_large_file_up_and_down_grows_the_gateway_by_less_than_32_mib(
    bare_system: System, place: tuple[int, dict[str, str]]
) -> None:
    size, variables = place
    child = bare_system.start_gateway(**variables, MAX_FILE_BYTES=str(size))
    memory = Memory(psutil.Process(child.process.pid))
    async with register_user(bare_system.gateway) as user:
        await user.http.post("/files", files={"file": ("a.txt", b"x")})
        before = memory.look()
        sent = form(size, memory)
        created = await user.http.post("/files", content=sent, headers=FORM, timeout=120)
        assert created.status_code == 201, created.text
        received = await download(user.http, created.json()["id"], memory)
    assert received == sha256(PIECE * (size // len(PIECE))).digest()
    assert memory.most - before < 32 * MIB
