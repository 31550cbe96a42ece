"""Files of 100 MiB, up and down, and the memory that the gateway takes meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

import orjson
import psutil

from tests.benchmarks.floors import start_floor_server
from tests.benchmarks.installation import Bench
from tests.benchmarks.people import WrongAnswerError, insert_people
from tests.benchmarks.results import Row, Target, at_least, at_most
from tests.benchmarks.wire import HEAD_END, http_request

MIB = 1 << 20
SIZE = 100 * MIB
BLOCK = bytes(range(256)) * (MIB // 256)
ROUNDS = 4
LOOK_SECONDS = 0.02
READ_BYTES = MIB
CHECK = crc32(BLOCK * (SIZE // MIB))
GROWN = "the gateway's memory, more than idle"
BOUNDARY = b"boundary"
FORM = (
    b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n',
    b"\r\n--" + BOUNDARY + b"--\r\n",
)
MULTIPART = f"multipart/form-data; boundary={BOUNDARY.decode()}"
PLAIN = "application/octet-stream"

TARGETS: dict[str, Target] = {
    "upload": at_least(0.7, of_floor=True),
    "download": at_least(0.7, of_floor=True),
    GROWN: at_most(64),
}


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """MiB per second, beside routes that copy between the socket and a file."""
    one = bench.start(MAX_FILE_BYTES=str(SIZE))
    [person] = insert_people(one.system.settings, 1)
    gateway = one.system.gateway
    up, bare_up, down, bare_down = 0.0, 0.0, 0.0, 0.0
    with TemporaryDirectory() as folder:
        bare = start_floor_server(one, Path(folder)).url
        async with _watching(one.pid("gateway")) as grown:
            for _ in range(ROUNDS):
                seconds, answer = await _upload(gateway, FORM, MULTIPART, person.token)
                up += seconds
                bare_up += (await _upload(bare))[0]
                down += await _download(gateway, f"/files/{answer['id']}", person.token)
                bare_down += await _download(bare, "/files")
    total = ROUNDS * SIZE / MIB
    yield Row("upload", total / up, "MiB/s", total / bare_up)
    yield Row("download", total / down, "MiB/s", total / bare_down)
    yield Row(GROWN, max(grown), "MiB")


@asynccontextmanager
async def _watching(pid: int) -> AsyncIterator[list[float]]:
    """How many MiB more than in the beginning a process has, again and again."""
    process, grown = psutil.Process(pid), [0.0]
    idle = process.memory_info().rss

    async def watch() -> None:
        while True:
            grown.append((process.memory_info().rss - idle) / MIB)
            await asyncio.sleep(LOOK_SECONDS)

    watching = asyncio.create_task(watch())
    yield grown
    watching.cancel()


async def _upload(
    url: str, around: tuple[bytes, bytes] = (b"", b""), kind: str = PLAIN, token: str = ""
) -> tuple[float, Any]:
    """How long it takes, and the answer. Raises WrongAnswerError."""
    length = len(around[0]) + SIZE + len(around[1])
    async with _exchange(url, http_request("POST", "/files", length, token, kind)) as streams:
        reader, writer, began = streams
        writer.write(around[0])
        for _ in range(SIZE // MIB):
            writer.write(BLOCK)
            await writer.drain()
        writer.write(around[1])
        head = await reader.readuntil(HEAD_END)
        if b" 201 " not in head:
            raise WrongAnswerError(head.decode())
        return perf_counter() - began, orjson.loads(await reader.read(READ_BYTES))


async def _download(url: str, path: str, token: str = "") -> float:
    """How long it takes. Raises WrongAnswerError when other bytes come than were sent."""
    async with _exchange(url, http_request("GET", path, token=token)) as (reader, _, began):
        await reader.readuntil(HEAD_END)
        left, check = SIZE, 0
        while left and (chunk := await reader.read(READ_BYTES)):
            left -= len(chunk)
            check = crc32(chunk, check)
        if left or check != CHECK:
            raise WrongAnswerError(f"{path} is not what was uploaded")
        return perf_counter() - began


@asynccontextmanager
async def _exchange(
    url: str, request: bytes
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter, float]]:
    """A connection over which a request's head was sent just now, and the time."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=READ_BYTES)
    began = perf_counter()
    writer.write(request)
    yield reader, writer, began
    writer.close()
