"""What uploads and deletions that were cut short have left goes a day later, and no sooner."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
import pytest
from attrs import evolve
from obstore.store import S3Store

from devstack.processes import HOST, free_port
from gateway.files.objects import Objects
from gateway.files.queries import insert_file
from gateway.files.schemas import FileOrigin
from gateway.files.storage import Storage, StorageAwayError, create_storage
from gateway.files.stray_queries import claim_strays
from gateway.files.sweep import AGE, Sweep
from gateway.files.unfinished import _abort as abort
from gateway.files.unfinished import _create_client as create_client
from gateway.files.unfinished import abort_unfinished
from shared.postgres.pool import connect, create_database
from shared.settings.installation import Settings
from tests.gateway.files.bucket import NAME, PREFIX, Bucket, run_bucket
from tests.gateway.files.test_storage import LARGE, chunks, names_in, open_bucket
from tests.gateway.files.uploading import upload
from tests.sql import run_sql
from tests.system import System
from tests.users import User, eventually, register_user

OLD = AGE.total_seconds() + 60
YOUNG = AGE.total_seconds() - 60
STARTED = datetime(2010, 11, 10, 20, 48, 33, tzinfo=UTC)  # when all uploads to moto did


def put_aged(folder: Path, name: str, seconds: float) -> None:
    """A file of the folder that nobody has written to for so long."""
    path = folder / name
    path.write_bytes(b"x")
    then = time.time() - seconds
    os.utime(path, (then, then))


@pytest.fixture
async def objects(settings: Settings, tmp_path: Path) -> AsyncIterator[Objects]:
    storage = create_storage(evolve(settings, default_files_folder_name=str(tmp_path)))
    async with create_database(settings) as database:
        yield Objects(database, storage)


async def test_staged_files_go_when_they_are_old(objects: Objects, tmp_path: Path) -> None:
    id_ = uuid4()
    kept = [f"{id_}.bin", f"{id_}#x", "else#1", f"{id_}.bin#1.bak", f"a{id_}.bin#1"]
    for name in (f"{id_}.bin#1", f"{id_}#12", f"{id_}.gz#2", *kept):
        put_aged(tmp_path, name, OLD)
    young = [f"{uuid4()}.bin#1", f"{uuid4()}#1"]
    for name in young:
        put_aged(tmp_path, name, YOUNG)
    await Sweep(objects).go_round()
    assert sorted(names_in(tmp_path)) == sorted([*kept, *young])


async def test_a_file_of_the_original_with_such_a_name_stays(
    objects: Objects, settings: Settings, tmp_path: Path
) -> None:
    id_ = uuid4()
    put_aged(tmp_path, f"{id_}.c#1", OLD)
    with run_sql(settings) as sql:
        sql(
            """
            INSERT INTO files (id, internal_id, internal_name, original_name, mimetype, from_agent)
            VALUES (gen_random_uuid(), %s, %s, 'a.c#1', 'text/plain', false)
            """,
            *(id_, f"{id_}.c#1"),
        )
    await Sweep(objects).go_round()
    assert names_in(tmp_path) == [f"{id_}.c#1"]


def begin(bucket: Bucket, key: str) -> None:
    """Begin an upload of several parts that nobody goes on with."""
    assert httpx2.post(f"{bucket.endpoint}/{NAME}/{key}?uploads").status_code == 200


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[Bucket]:
    with run_bucket(tmp_path) as bucket:
        yield bucket


@pytest.fixture
def store(settings: Settings, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    store = open_bucket(settings, bucket, monkeypatch).store
    assert isinstance(store, S3Store)
    return store


def test_unfinished_uploads_to_a_bucket_go_when_they_are_old(
    bucket: Bucket, store: S3Store
) -> None:
    for key in (f"{PREFIX}/{uuid4()}.bin", f"{PREFIX}/{uuid4()}"):
        begin(bucket, key)
    for others in (f"{uuid4()}.bin", f"other/{uuid4()}", f"{PREFIX}/else", f"{PREFIX}/a/{uuid4()}"):
        begin(bucket, others)
    assert abort_unfinished(store, STARTED) == 0
    assert bucket.unfinished() == 6
    assert abort_unfinished(store, STARTED + timedelta(seconds=1)) == 2
    assert bucket.unfinished() == 4


def test_one_that_somebody_else_has_ended_is_no_fault(bucket: Bucket) -> None:
    key = f"{PREFIX}/{uuid4()}"
    begin(bucket, key)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in bucket.variables.items():
            patch.setenv(name, value)
        client = create_client()
        [upload] = client.list_multipart_uploads(Bucket=NAME)["Uploads"]
        for _ in range(2):
            abort(client, Bucket=NAME, Key=key, UploadId=upload["UploadId"])
    assert bucket.unfinished() == 0


async def test_a_bucket_that_is_away_is_looked_at_later(
    settings: Settings,
    objects: Objects,
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    storage = open_bucket(settings, bucket, monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{HOST}:{free_port()}")
    await Sweep(evolve(objects, storage=storage)).go_round()
    assert "what is left in the file storage is removed later" in caplog.text


async def test_objects_without_files_go_when_they_are_old(
    objects: Objects, settings: Settings, tmp_path: Path
) -> None:
    old, young, gone = (f"{uuid4()}.bin" for _ in range(3))
    for name in (old, young):
        await objects.put(name, chunks(b"x"))
    with run_sql(settings) as sql:
        sql("INSERT INTO stray_objects (internal_name) VALUES (%s)", gone)
        sql(
            "UPDATE stray_objects SET since = now() - %s WHERE internal_name IN (%s, %s)",
            *(timedelta(seconds=OLD), old, gone),
        )
        age = timedelta(seconds=YOUNG)
        sql("UPDATE stray_objects SET since = now() - %s WHERE internal_name = %s", age, young)
        await Sweep(objects).go_round()
        assert names_in(tmp_path) == [young]
        assert sql("SELECT internal_name FROM stray_objects") == [{"internal_name": young}]
        await objects.remove(young)
        assert (names_in(tmp_path), sql("SELECT since FROM stray_objects")) == ([], [])


async def test_objects_that_can_not_be_removed_now_are_later(
    objects: Objects, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{uuid4()}.bin"
    await objects.put(name, chunks(b"x"))

    async def fail(*_names: str) -> None:
        raise StorageAwayError("away")

    with run_sql(settings) as sql:
        with monkeypatch.context() as patch:
            patch.setattr(Storage, "delete", fail)
            await objects.remove(name)
            sql("UPDATE stray_objects SET since = now() - %s", timedelta(seconds=OLD))
            await Sweep(objects).go_round()
        assert names_in(tmp_path) == [name]
        await Sweep(objects).go_round()
        assert (names_in(tmp_path), sql("SELECT since FROM stray_objects")) == ([], [])


async def test_an_object_that_a_sweep_has_claimed_becomes_no_file(
    objects: Objects, settings: Settings
) -> None:
    name = f"{uuid4()}.bin"
    with run_sql(settings) as sql:
        [owner] = sql("INSERT INTO users VALUES (gen_random_uuid(), %s, '-') RETURNING id", name)

        async def insert() -> bool:
            async with connect(objects.database) as connection:
                return await insert_file(
                    connection, uuid4(), owner["id"], FileOrigin(), "a", name, "a/b", 1
                )

        await objects.put(name, chunks(b"x"))
        sql("UPDATE stray_objects SET since = now() - %s", timedelta(seconds=OLD))
        async with connect(objects.database) as connection:
            assert await claim_strays(connection, AGE, 10) == [name]
        assert not await insert()
        await objects.remove(name)
        await objects.put(name, chunks(b"x"))
        assert await insert()
        assert sql("SELECT since FROM stray_objects") == []


async def begin_upload(user: User, system: System) -> tuple[socket.socket, Path]:
    """Send half of a file, and where its bytes are."""
    before = set(system.files.glob("*#*"))
    parts = urlsplit(str(user.http.base_url))
    assert parts.hostname is not None
    sender = socket.create_connection((parts.hostname, parts.port or 80))
    head = (
        f"POST /files HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {user.token}\r\n"
        "Content-Type: multipart/form-data; boundary=B\r\nContent-Length: 50000000\r\n\r\n"
        '--B\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
    )
    await asyncio.to_thread(sender.sendall, head.encode() + bytes(8 * 1024 * 1024))

    async def staged() -> bool:
        return bool(set(system.files.glob("*#*")) - before)

    await eventually(staged, "the upload is being written")
    [path] = set(system.files.glob("*#*")) - before
    return sender, path


def make_old(path: Path) -> None:
    then = time.time() - OLD
    os.utime(path, (then, then))


async def test_what_a_killed_gateway_leaves_is_removed_and_running_uploads_are_not(
    bare_system: System,
) -> None:
    killed = bare_system.start_gateway()
    async with register_user(bare_system.gateways[0]) as user:
        senders, left = zip(*[await begin_upload(user, bare_system) for _ in range(2)], strict=True)
    killed.process.kill()
    killed.process.wait()
    for sender in senders:
        sender.close()
    make_old(left[0])
    bare_system.start_gateway("sweep_at_once")
    async with register_user(bare_system.gateways[1]) as user:
        sender, running = await begin_upload(user, bare_system)

        async def swept() -> bool:
            return not left[0].exists()

        await eventually(swept, "the old one is removed")
        assert left[1].exists()
        assert running.exists()
        make_old(left[1])

        async def swept_again() -> bool:
            return not left[1].exists()

        await eventually(swept_again, "the other one too, a day later")
        assert running.exists()
        sender.close()


async def test_a_gateway_that_dies_between_object_and_row_leaves_nothing(
    bare_system: System,
) -> None:
    dying = bare_system.start_gateway("die_before_insert")
    async with register_user(bare_system.gateway) as user:
        with pytest.raises(httpx2.TransportError):
            await user.http.post("/files", files={"file": ("a.bin", LARGE)})
    dying.process.wait()
    [_] = names_in(bare_system.files)
    await removed(bare_system)


async def test_a_gateway_that_dies_between_row_and_object_leaves_nothing(
    bare_system: System,
) -> None:
    dying = bare_system.start_gateway("die_after_delete")
    async with register_user(bare_system.gateway) as user:
        session_id = str(uuid4())
        chat = {"session_id": session_id, "title": "t"}
        assert (await user.http.post("/api/chats", json=chat)).status_code == 200
        await upload(user.http, session_id=session_id)
        with pytest.raises(httpx2.TransportError):
            await user.http.delete("/api/chat", params={"session_id": session_id})
    dying.process.wait()
    [_] = names_in(bare_system.files)
    await removed(bare_system)


async def removed(system: System) -> None:
    """Wait until another gateway has removed what is left, a day later as it were."""
    with run_sql(system.settings) as sql:
        sql("UPDATE stray_objects SET since = now() - %s", timedelta(seconds=OLD))
        system.start_gateway("sweep_at_once")

        async def swept() -> bool:
            return not sql("SELECT since FROM stray_objects")

        await eventually(swept, "a sweep has come")
        assert names_in(system.files) == []
