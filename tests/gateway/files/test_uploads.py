"""Files on their way in."""

import asyncio
from typing import Any

import httpx2
import pytest

from tests.gateway.files.uploading import (
    CONTENT,
    METADATA,
    UNKNOWN,
    ids_of,
    metadata,
    part,
    upload,
    upload_raw,
)
from tests.gateway.shapes import assert_shape, faults, good, refused
from tests.sql import Sql
from tests.system import System
from tests.users import User, eventually


async def test_a_file_comes_back_as_it_was(user: User) -> None:
    content = bytes(range(256)) * 5000
    id_ = await upload(user.http, "all.bin", content, "application/x-own")
    answer = await user.http.get(f"/files/{id_}")
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"] == "application/x-own"
    assert answer.headers["content-length"] == str(len(content))


async def test_the_metadata_of_a_users_file(user: User, file: str) -> None:
    assert await metadata(user.http, file) == {
        "id": file,
        "session_id": None,
        "request_id": None,
        "original_name": "a b.txt",
        "mimetype": "text/plain",
        "internal_id": file,
        "internal_name": f"{file}.txt",
        "from_agent": False,
        "creator_id": user.id,
    }


async def test_the_metadata_of_an_agents_file(
    user: User, agent: httpx2.AsyncClient, sql: Sql
) -> None:
    session_id, request_id = ids_of(sql, user)
    id_ = await upload(agent, "x.png", session_id=session_id, request_id=request_id)
    found = await metadata(agent, id_)
    assert_shape(found, METADATA)
    assert (found["from_agent"], found["creator_id"]) == (True, user.id)
    assert (found["session_id"], found["request_id"]) == (session_id, request_id)


@pytest.mark.parametrize("given", ["session_id", "request_id"])
async def test_one_id_is_kept_but_makes_no_agents_file(user: User, sql: Sql, given: str) -> None:
    session_id, request_id = ids_of(sql, user)
    value = {"session_id": session_id, "request_id": request_id}[given]
    fields: dict[str, Any] = {given: value}
    found = await metadata(user.http, await upload(user.http, **fields))
    assert (found[given], found["from_agent"]) == (value, False)


async def refuse_ids(user: User, system: System, sql: Sql, **ids: str) -> str:
    objects = set(system.files.iterdir())
    files = {"file": ("a.txt", CONTENT, "text/plain")}
    detail = refused(await user.http.post("/files", files=files, data=ids))
    assert sql("SELECT id FROM files WHERE creator_id = %s", user.id) == []
    assert set(system.files.iterdir()) == objects
    return detail


async def test_a_foreign_request_is_like_an_unknown_one(
    user: User, other_user: User, system: System, sql: Sql
) -> None:
    session_id, _ = ids_of(sql, user)
    _, foreign = ids_of(sql, other_user)
    _, of_another_session = ids_of(sql, user)
    for request in (foreign, UNKNOWN, of_another_session):
        detail = await refuse_ids(user, system, sql, session_id=session_id, request_id=request)
        assert detail == f"Request with id {request} does not exist"
    assert foreign in await refuse_ids(user, system, sql, request_id=foreign)


async def test_all_faults_of_a_form_come_at_once(user: User) -> None:
    wrong = {"request_id": (None, "x"), "session_id": (None, "")}
    found = faults(await user.http.post("/files", files=wrong))
    assert found == [
        ("missing", ["body", "file"]),
        ("uuid_parsing", ["body", "request_id"]),
        ("uuid_parsing", ["body", "session_id"]),
    ]


@pytest.mark.parametrize(
    "body", [{"json": {"file": "x"}}, {"data": {"session_id": UNKNOWN}}, {}], ids=repr
)
async def test_a_body_that_is_no_form_with_a_file_is_422(user: User, body: dict[str, Any]) -> None:
    answer = await user.http.post("/files", **body)
    fault = {
        "type": "missing",
        "loc": ["body", "file"],
        "msg": "Field required",
        "input": None,
    }
    assert (answer.status_code, answer.json()) == (422, {"detail": [fault]})


@pytest.mark.parametrize("disposition", ['name="file"', 'name="file"; filename=""'])
async def test_a_file_without_a_name_is_422(user: User, disposition: str) -> None:
    assert faults(await upload_raw(user.http, part(disposition))) == [
        ("value_error", ["body", "file"])
    ]


async def test_the_form_may_hold_more_than_we_know(user: User) -> None:
    parts = [
        part('name="json_field"', b"{}", "\r\nContent-Type: application/json"),
        part('name="other"; filename="other.txt"', b"other"),
        part('name="file"; filename="a.txt"'),
    ]
    answer = await upload_raw(user.http, *parts)
    assert answer.status_code == 201
    assert (await user.http.get(f"/files/{answer.json()['id']}")).content == CONTENT


async def test_two_files_at_once_are_refused_and_neither_stays(user: User, system: System) -> None:
    objects = set(system.files.iterdir())
    twice = [part('name="file"; filename="a.txt"')] * 2
    assert "one file" in refused(await upload_raw(user.http, *twice))
    assert set(system.files.iterdir()) == objects


@pytest.mark.parametrize("boundary", ["", "; boundary=other", "; boundary=" + "b" * 300])
async def test_a_malformed_form_is_400(user: User, boundary: str) -> None:
    body = b"--B\r\n" + part('name="file"; filename="a.txt"') + b"\r\n--B--\r\n"
    headers = {"Content-Type": f"multipart/form-data{boundary}"}
    refused(await user.http.post("/files", content=body, headers=headers))


async def test_a_form_that_ends_in_the_middle_is_400_and_leaves_nothing(
    user: User, system: System
) -> None:
    objects = set(system.files.iterdir())
    body = b"--B\r\n" + part('name="file"; filename="a.txt"', b"x" * 200_000)
    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    refused(await user.http.post("/files", content=body, headers=headers))
    assert set(system.files.iterdir()) == objects


async def test_a_form_of_too_many_parts_is_400(user: User) -> None:
    refused(await upload_raw(user.http, *[part('name="x"', b"y")] * 21))


async def test_a_field_that_is_too_large_is_413(user: User) -> None:
    answer = await upload_raw(user.http, part('name="session_id"', b"y" * 2000))
    assert answer.status_code == 413


async def test_an_empty_file_is_a_file(user: User) -> None:
    id_ = await upload(user.http, "empty.bin", b"")
    answer = await user.http.get(f"/files/{id_}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == "0"


async def test_content_that_looks_like_a_boundary_stays_whole(user: User) -> None:
    content = b"\r\n--B\r\n--B-\r\n-" * 1000
    id_ = await upload(user.http, content=content)
    assert (await user.http.get(f"/files/{id_}")).content == content


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("README", ""),
        ("a.tar.gz", ".gz"),
        ("../../etc/x.SH", ".sh"),
        ("..", ""),
        ("žluť 用户.txt", ".txt"),
        ("%E2%82%AC.pdf", ".pdf"),
        ("a.j/p g", ""),
        ("a.jpé g", ".jpg"),
        ("a." + "b" * 40, "." + "b" * 15),
        ("n" * 251 + ".txt", ".txt"),
        ("用" * 255, ""),
        ("C:\\temp\\x.txt", ".txt"),
    ],
)
async def test_a_name_stays_and_is_never_a_path(
    user: User, system: System, name: str, suffix: str
) -> None:
    encoded = name.replace("\\", "\\\\")
    answer = await upload_raw(user.http, part(f'name="file"; filename="{encoded}"'))
    assert answer.status_code == 201, answer.text
    found = await metadata(user.http, answer.json()["id"])
    assert found["original_name"] in {name, name.rpartition("\\")[2]}
    assert found["internal_name"] == found["id"] + suffix
    assert (system.files / found["internal_name"]).read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["n" * 256, "a\0b.txt"])
async def test_a_name_that_is_too_long_or_has_nul_is_400(user: User, name: str) -> None:
    refused(await upload_raw(user.http, part(f'name="file"; filename="{name}"')))


async def test_a_name_in_another_encoding_is_taken(user: User) -> None:
    raw = part('name="file"; filename="X.txt"').replace(b"X", b"\xe9")
    answer = await upload_raw(user.http, raw)
    assert (await metadata(user.http, answer.json()["id"]))["original_name"] == "é.txt"


@pytest.mark.parametrize(
    ("name", "given", "mimetype"),
    [
        ("a.png", None, "image/png"),
        ("a.txt", None, "text/plain"),
        ("a", None, "application/octet-stream"),
        ("a.tar.gz", None, "application/octet-stream"),
        ("a.nobodyknows", None, "application/octet-stream"),
        ("a.png", "", "image/png"),
        ("a.png", "nonsense", "image/png"),
        ("a.png", "é/é", "image/png"),
        ("a.png", "image/" + "x" * 300, "image/png"),
        ("a.png", "video/webm; codecs=vp8", "video/webm; codecs=vp8"),
    ],
)
async def test_a_type_is_kept_or_guessed_from_the_name(
    user: User, name: str, given: str | None, mimetype: str
) -> None:
    type_ = "" if given is None else f"\r\nContent-Type: {given}"
    answer = await upload_raw(user.http, part(f'name="file"; filename="{name}"', more=type_))
    id_ = answer.json()["id"]
    assert (await metadata(user.http, id_))["mimetype"] == mimetype
    assert (await user.http.get(f"/files/{id_}")).headers["content-type"].startswith(mimetype)


async def begin_upload(user: User, size: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send these bytes of a larger file."""
    url = user.http.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = (
        f"POST /files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {user.token}\r\n"
        "Content-Type: multipart/form-data; boundary=B\r\nContent-Length: 9000000\r\n\r\n--B\r\n"
    )
    writer.write(head.encode() + part('name="file"; filename="a.bin"', b"x" * size))
    await writer.drain()
    return reader, writer


async def test_slow_senders_keep_no_database_connection(user: User, system: System) -> None:
    count = system.settings.database_pool_size + 2
    objects = set(system.files.iterdir())
    begun = [await begin_upload(user, 6_000_000) for _ in range(count)]

    async def all_are_on_their_way() -> bool:
        return len(set(system.files.iterdir()) - objects) == count

    async def all_are_gone() -> bool:
        return set(system.files.iterdir()) == objects

    await eventually(all_are_on_their_way, "all uploads wait for more")
    good(await user.http.get("/api/chats"))
    for _, writer in begun:
        writer.close()
    await eventually(all_are_gone, "nothing is left")


async def test_a_sender_who_leaves_in_the_middle_leaves_nothing(
    user: User, system: System, sql: Sql
) -> None:
    objects = set(system.files.iterdir())
    reader, writer = await begin_upload(user, 6_000_000)

    async def begun() -> bool:
        return set(system.files.iterdir()) != objects

    async def gone() -> bool:
        return set(system.files.iterdir()) == objects

    await eventually(begun, "the upload is on its way")
    writer.close()
    await eventually(gone, "the object is gone")
    assert await reader.read() == b""
    assert sql("SELECT id FROM files WHERE creator_id = %s", user.id) == []
