"""The storage of files: a folder and a bucket behave alike, and a gateway keeps files in either."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from attrs import evolve

from gateway.files.storage import (
    READ_BYTES,
    S3_PART_BYTES,
    Storage,
    StorageAwayError,
    create_storage,
)
from shared.settings.installation import Settings
from tests.gateway.files.bucket import Bucket, run_bucket
from tests.sql import Sql
from tests.system import System
from tests.users import User, register_user

SIZES = [0, 1, READ_BYTES, S3_PART_BYTES, 2 * S3_PART_BYTES + 1]
CHUNK = bytes(range(256)) * 256
LARGE = CHUNK * 200  # several parts


class SenderError(Exception):
    """Something is wrong with what is sent."""


async def chunks(content: bytes, error: Exception | None = None) -> AsyncIterator[bytes]:
    for start in range(0, len(content), len(CHUNK)):
        yield content[start : start + len(CHUNK)]
    if error is not None:
        raise error


async def read(storage: Storage, name: str, start: int, stop: int) -> bytes:
    return b"".join([chunk async for chunk in storage.read(name, start, stop)])


def new_name() -> str:
    return f"{uuid4()}.txt"


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("*")]


@pytest.fixture(scope="session")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    with run_bucket(tmp_path_factory.mktemp("bucket")) as bucket:
        yield bucket


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "made" / "here"


@pytest.fixture(params=["folder", "bucket"])
def storage(
    request: pytest.FixtureRequest,
    settings: Settings,
    bucket: Bucket,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Storage:
    if request.param == "folder":
        return create_storage(evolve(settings, default_files_folder_name=str(folder)))
    return open_bucket(settings, bucket, monkeypatch)


def open_bucket(settings: Settings, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Storage:
    for name, value in bucket.variables.items():
        monkeypatch.setenv(name, value)
    return create_storage(evolve(settings, files_url=bucket.variables["FILES_URL"]))


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_put_is_read(storage: Storage, size: int) -> None:
    content, name = LARGE[:size], new_name()
    assert await storage.put(name, chunks(content)) == size
    assert await storage.size(name) == size
    assert await read(storage, name, 0, size) == content


async def test_a_range_is_read_over_the_edges_of_pieces(storage: Storage) -> None:
    name = new_name()
    await storage.put(name, chunks(LARGE))
    for start, stop in [(0, 1), (READ_BYTES - 1, 2 * READ_BYTES + 1), (len(LARGE) - 1, len(LARGE))]:
        assert await read(storage, name, start, stop) == LARGE[start:stop]


async def test_an_unknown_object_has_no_size(storage: Storage) -> None:
    assert await storage.size(new_name()) is None


@pytest.fixture
def outside(folder: Path) -> Path:
    """A file next to the folder of files."""
    folder.mkdir(parents=True)
    path = folder.parent / "outside"
    path.touch()
    return path


@pytest.mark.parametrize("name", ["", ".", "..", "../outside", "a/../../outside", "a//b", "a\x01b"])
async def test_a_name_that_no_object_can_have_names_none(
    outside: Path, storage: Storage, name: str
) -> None:
    assert await storage.size(name) is None
    await storage.delete(name)
    assert outside.name in names_in(outside.parent)


async def test_objects_are_deleted_whether_they_are_there_or_not(storage: Storage) -> None:
    names = [new_name() for _ in range(4)]
    for name in names[1:]:
        await storage.put(name, chunks(b"x"))
    await storage.delete(*names[:3])
    assert [await storage.size(name) for name in names] == [None, None, None, 1]
    await storage.delete()


@pytest.mark.parametrize("size", [1, len(LARGE)])
async def test_a_sender_that_fails_leaves_nothing(
    storage: Storage, bucket: Bucket, folder: Path, size: int
) -> None:
    name, error = new_name(), SenderError()
    with pytest.raises(SenderError) as raised:
        await storage.put(name, chunks(LARGE[:size], error))
    assert raised.value is error
    assert await storage.size(name) is None
    assert bucket.unfinished() == 0
    assert names_in(folder) == []


async def test_a_bucket_that_is_away_is_told(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with run_bucket(tmp_path) as gone:
        storage = open_bucket(settings, gone, monkeypatch)
    for work in (
        storage.put(new_name(), chunks(b"x")),
        storage.size(new_name()),
        storage.delete(new_name()),
    ):
        with pytest.raises(StorageAwayError, match="try again"):
            await work
    with pytest.raises(StorageAwayError):
        await read(storage, new_name(), 0, 1)


@pytest.fixture(scope="module")
async def bucket_user(system: System, bucket: Bucket) -> AsyncIterator[User]:
    """A user of one more gateway of the shared system, which keeps files in the bucket."""
    system.start_gateway(**bucket.variables, MAX_FILE_BYTES=str(len(LARGE)))
    async with register_user(system.gateways.pop()) as user:
        yield user


async def test_a_gateway_keeps_files_in_a_bucket(bucket_user: User, bucket: Bucket) -> None:
    http = bucket_user.http
    created = await http.post("/files", files={"file": ("a.bin", LARGE)})
    assert created.status_code == 201, created.text
    id_ = created.json()["id"]
    assert bucket.has(f"{id_}.bin")
    assert (await http.get(f"/files/{id_}")).content == LARGE
    ranged = await http.get(f"/files/{id_}", headers={"Range": "bytes=5-9"})
    assert ranged.content == LARGE[5:10]
    assert (await http.delete(f"/files/{id_}")).status_code == 204
    assert not bucket.has(f"{id_}.bin")


@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "chunked"])
@pytest.mark.parametrize("excess", [1, 4 * 1024 * 1024])
async def test_a_file_over_the_limit_is_413_and_leaves_nothing(
    bucket_user: User, bucket: Bucket, sql: Sql, excess: int, *, chunked: bool
) -> None:
    head = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    body = head + LARGE + b"x" * excess + b"\r\n--B--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=B", "Origin": "http://localhost:3000"}
    content = chunks(body) if chunked else body
    answer = await bucket_user.http.post("/files", content=content, headers=headers)
    assert answer.status_code == 413
    assert answer.headers["access-control-allow-origin"] == "*"
    told = answer.json()["detail"]
    assert told.startswith("The file must not be larger than ")
    assert told.endswith(" MB")
    assert bucket.unfinished() == 0
    assert sql("SELECT id FROM files WHERE creator_id = %s", bucket_user.id) == []


async def test_a_file_that_can_not_be_noted_leaves_nothing(bare_system: System) -> None:
    bare_system.start_gateway()
    async with register_user(bare_system.gateway) as user:
        with psycopg.connect(bare_system.settings.database_url, autocommit=True) as connection:
            connection.execute("ALTER TABLE files RENAME TO broken")
        answer = await user.http.post("/files", files={"file": ("a.bin", LARGE)})
    assert answer.status_code == 500
    assert names_in(bare_system.files) == []
