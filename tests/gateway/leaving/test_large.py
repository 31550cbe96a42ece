"""Archives of large files: with a bucket too, and for who takes them slowly or not at all."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from pathlib import Path

import httpx2
import psutil
import pytest

from tests.gateway.files.bucket import Bucket, run_bucket
from tests.gateway.files.test_file_sizes import MIB, Memory
from tests.gateway.leaving.test_export import export, lines_of
from tests.gateway.leaving.test_import import bring, packed
from tests.system import System
from tests.users import User, register_user

LARGE = os.urandom(MIB) * 12  # several parts of a bucket's uploads
SLOW_SECONDS = 3.0  # in which a slow reader takes next to nothing
DRAIN_SECONDS = 2


async def upload(user: User, content: bytes) -> str:
    """The id of a new file."""
    form = {"file": ("large.bin", content, "application/octet-stream")}
    created = await user.http.post("/files", files=form, timeout=120)
    assert created.status_code == 201, created.text
    return str(created.json()["id"])


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[Bucket]:
    with run_bucket(tmp_path) as bucket:
        yield bucket


@pytest.fixture
async def users(bare_system: System, bucket: Bucket) -> AsyncIterator[tuple[User, User]]:
    """Two users of a gateway that keeps files in a bucket."""
    bare_system.start_gateway(**bucket.variables, FILES_BYTES_PER_USER=str(16 * MIB))
    async with (
        register_user(bare_system.gateway) as one,
        register_user(bare_system.gateway) as other,
    ):
        yield one, other


async def test_files_in_a_bucket_go_out_and_come_in_again(
    bare_system: System, bucket: Bucket, users: tuple[User, User]
) -> None:
    owner, newcomer = users
    id_ = await upload(owner, LARGE)
    archive = await export(owner.http)
    assert sha256(archive.read(f"files/{id_}")).digest() == sha256(LARGE).digest()
    assert archive.fp is not None
    archive.fp.seek(0)
    report = await bring(newcomer, archive.fp.read())
    assert report["files"]["taken"] == 1
    [taken] = lines_of(await export(newcomer.http), "files")
    assert taken["id"] != id_
    assert (await newcomer.http.get(f"/files/{taken['id']}")).content == LARGE
    assert bucket.has(f"{taken['id']}.bin")
    assert bucket.unfinished() == 0
    assert list(bare_system.files.glob("*")) == []


async def test_of_files_that_are_more_than_one_may_have_none_stays_in_the_bucket(
    bucket: Bucket, users: tuple[User, User]
) -> None:
    owner, newcomer = users
    await upload(owner, LARGE)
    exported = await export(owner.http)
    [line] = lines_of(exported, "files")
    lines, entries = [], {}
    for number in range(2):
        id_ = f"00000000-0000-4000-8000-00000000000{number}"
        lines.append(exported.read("files.jsonl").replace(line["id"].encode(), id_.encode()))
        entries[f"files/{id_}"] = LARGE
    report = await bring(newcomer, packed({"files.jsonl": b"".join(lines), **entries}))
    assert report["files"]["taken"] == 0, report
    assert lines_of(await export(newcomer.http), "files") == []
    assert bucket.names() == [f"{line['id']}.bin"]
    assert bucket.unfinished() == 0


async def take_slowly(pieces: AsyncIterator[bytes], memory: Memory) -> bytes:
    """Take next to nothing for a while; what was taken."""
    taken, loop = bytearray(), asyncio.get_running_loop()
    until = loop.time() + SLOW_SECONDS
    while loop.time() < until:
        taken += await anext(pieces)
        memory.look()
        await asyncio.sleep(0.01)
    return bytes(taken)


async def test_slow_readers_of_an_export_cost_no_memory_and_hold_up_no_drain(
    bare_system: System,
) -> None:
    child = bare_system.start_gateway(
        DRAIN_GRACE="0", DRAIN_TIMEOUT=str(DRAIN_SECONDS), MAX_FILE_BYTES=str(256 * MIB)
    )
    memory = Memory(psutil.Process(child.process.pid))
    async with register_user(bare_system.gateway) as one, register_user(bare_system.gateway) as two:
        for user in (one, two):
            id_ = await upload(user, b"x")
            os.truncate(bare_system.files / f"{id_}.bin", 256 * MIB)
            small = await user.http.get("/api/chats")
            assert small.status_code == 200
        before = memory.look()
        async with (
            one.http.stream("GET", "/api/me/export") as first,
            two.http.stream("GET", "/api/me/export") as second,
        ):
            pieces = [first.aiter_raw(1024), second.aiter_raw(1024)]
            taken = await asyncio.gather(*(take_slowly(each, memory) for each in pieces))
            assert all(each.startswith(b"PK") for each in taken)
            assert memory.most - before < 32 * MIB
            began = asyncio.get_running_loop().time()
            child.process.terminate()
            await asyncio.to_thread(child.process.wait, 10 * DRAIN_SECONDS)
            assert asyncio.get_running_loop().time() - began < DRAIN_SECONDS + 3
            for each in pieces:
                with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
                    _ = [piece async for piece in each]
