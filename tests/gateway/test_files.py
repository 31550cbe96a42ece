"""Files through the real gateway."""

import asyncio
import re
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from tests.gateway.shapes import TIME, assert_shape, faults, good, refused
from tests.sql import Sql
from tests.system import System
from tests.users import User, eventually

UNKNOWN = "00000000-0000-4000-8000-000000000000"
ORIGIN = "http://localhost:3000"
METADATA = {
    "id",
    "session_id",
    "request_id",
    "original_name",
    "mimetype",
    "internal_id",
    "internal_name",
    "from_agent",
    "creator_id",
}
CONTENT = b"hello file"


async def upload(
    http: httpx2.AsyncClient,
    name: str = "a b.txt",
    content: bytes = CONTENT,
    mimetype: str = "text/plain",
    **fields: str,
) -> str:
    """Upload a file and return its id."""
    answer = await http.post("/files", files={"file": (name, content, mimetype)}, data=fields)
    assert answer.status_code == 201, answer.text
    assert answer.json().keys() == {"id"}
    return str(UUID(answer.json()["id"]))


async def upload_raw(http: httpx2.AsyncClient, *parts: bytes) -> httpx2.Response:
    """Upload parts as they are, each with its head."""
    body = b"".join(b"--B\r\n" + part + b"\r\n" for part in parts) + b"--B--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    return await http.post("/files", content=body, headers=headers)


def part(disposition: str, content: bytes = CONTENT, more: str = "") -> bytes:
    head = f"Content-Disposition: form-data; {disposition}{more}\r\n\r\n"
    return head.encode() + content


async def metadata(http: httpx2.AsyncClient, id_: str) -> dict[str, Any]:
    body: dict[str, Any] = good(await http.get(f"/files/{id_}/metadata"))
    return body


@pytest.fixture
async def file(user: User) -> str:
    """A text file of the user."""
    return await upload(user.http)


@pytest.fixture
async def agent(user: User) -> AsyncIterator[httpx2.AsyncClient]:
    """A client with the token of an agent of the user."""
    token = (await user.register_agent("painter", "paints"))["jwt"]
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(
        base_url=user.http.base_url, headers=headers, verify=False, timeout=30
    ) as http:
        yield http


def insert_session(sql: Sql, owner: str) -> str:
    session_id = str(uuid4())
    sql(
        "INSERT INTO chatconversations (session_id, title, creator_id) VALUES (%s, 't', %s)",
        session_id,
        owner,
    )
    return session_id


def insert_request(sql: Sql, owner: str, session_id: str) -> str:
    request_id = str(uuid4())
    sql(
        """
        INSERT INTO requests (id, session_id, creator_id, status, seq, deadline, ended_at)
        VALUES (%s, %s, %s, 'answered', nextval('logs_id_seq'), now(), now())
        """,
        request_id,
        session_id,
        owner,
    )
    return request_id


def ids_of(sql: Sql, owner: User) -> tuple[str, str]:
    """A session of the user and a request of it."""
    session_id = insert_session(sql, owner.id)
    return session_id, insert_request(sql, owner.id, session_id)


# Uploading


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


# Downloading


async def test_what_a_download_says_of_itself(user: User, file: str) -> None:
    headers = (await user.http.get(f"/files/{file}")).headers
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert headers["content-length"] == "10"
    assert headers["accept-ranges"] == "bytes"
    assert headers["content-disposition"] == f'attachment; filename="{file}.txt"'
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"].split("; ")
    assert re.fullmatch(r'"[^"]+"', headers["etag"])
    assert parsedate_to_datetime(headers["last-modified"]).tzinfo is not None


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("plain.txt", ".txt"),
        ("a.tar.gz", ".gz"),
        ("../x.sh", ".sh"),
        ("README", ""),
        ("a.é%22b", ".22b"),
        ("a.t\tx", ".tx"),
    ],
)
async def test_a_download_is_named_by_its_id(user: User, name: str, suffix: str) -> None:
    answer = await upload_raw(user.http, part(f'name="file"; filename="{name}"'))
    id_ = answer.json()["id"]
    answer = await user.http.get(f"/files/{id_}")
    assert answer.headers["content-disposition"] == f'attachment; filename="{id_}{suffix}"'


async def test_head_is_the_download_without_its_bytes(user: User, file: str) -> None:
    full, head = await user.http.get(f"/files/{file}"), await user.http.head(f"/files/{file}")
    assert (head.status_code, head.content) == (200, b"")
    same = full.headers.keys() - {"date"}
    assert {name: head.headers.get(name) for name in same} == {
        name: full.headers[name] for name in same
    }


@pytest.mark.parametrize(
    ("asked", "content", "place"),
    [
        ("bytes=0-3", b"hell", "0-3"),
        ("bytes=6-", b"file", "6-9"),
        ("bytes=-4", b"file", "6-9"),
        ("bytes=0-0", b"h", "0-0"),
        ("bytes=9-9", b"e", "9-9"),
        ("bytes=5-100", b" file", "5-9"),
        ("bytes=-100", CONTENT, "0-9"),
        ("Bytes=0-3", b"hell", "0-3"),
    ],
)
async def test_a_range_is_206(
    user: User, file: str, asked: str, content: bytes, place: str
) -> None:
    answer = await user.http.get(f"/files/{file}", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, content)
    assert answer.headers["content-range"] == f"bytes {place}/10"
    assert answer.headers["content-length"] == str(len(content))


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=100-200", "bytes=-0"])
async def test_a_range_with_nothing_in_it_is_416(user: User, file: str, asked: str) -> None:
    answer = await user.http.get(f"/files/{file}", headers={"Range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */10"
    assert answer.json().keys() == {"detail"}


@pytest.mark.parametrize(
    "asked",
    ["bytes=5-2", "bytes=-", "bytes=0-1,3-4", "bytes=x-y", "lines=0-3", "", "bytes=" + "9" * 30],
)
async def test_another_range_is_ignored(user: User, file: str, asked: str) -> None:
    answer = await user.http.get(f"/files/{file}", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, CONTENT)


async def test_a_range_over_several_reads_is_whole(user: User) -> None:
    content = bytes(range(256)) * 20_000
    id_ = await upload(user.http, content=content)
    span = slice(1_000_001, 5_000_001)
    asked = {"Range": f"bytes={span.start}-{span.stop - 1}"}
    assert (await user.http.get(f"/files/{id_}", headers=asked)).content == content[span]


async def test_whoever_has_the_file_is_told_304(user: User, file: str) -> None:
    tag = (await user.http.head(f"/files/{file}")).headers["etag"]
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        answer = await user.http.get(f"/files/{file}", headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag
    answer = await user.http.get(f"/files/{file}", headers={"If-None-Match": '"other"'})
    assert answer.status_code == 200


async def test_a_range_of_another_version_is_the_whole_file(user: User, file: str) -> None:
    headers = (await user.http.head(f"/files/{file}")).headers
    statuses = [
        (
            await user.http.get(
                f"/files/{file}", headers={"Range": "bytes=0-3", "If-Range": condition}
            )
        ).status_code
        for condition in (headers["etag"], headers["last-modified"], '"other"', "W/" + "x")
    ]
    assert statuses == [206, 206, 200, 200]


async def test_a_file_whose_bytes_are_gone_is_named(user: User, system: System, file: str) -> None:
    (system.files / f"{file}.txt").unlink()
    detail = f"Metadata of file {file} exists, but file was not found"
    answer = await user.http.get(f"/files/{file}")
    assert (answer.status_code, answer.json()) == (500, {"detail": detail})
    assert (await metadata(user.http, file))["id"] == file


async def test_a_download_that_breaks_is_cut_and_not_taken_for_whole(
    user: User, system: System
) -> None:
    id_ = await upload(user.http, "large.bin", bytes(64 * 1024 * 1024))
    async with user.http.stream("GET", f"/files/{id_}") as answer:
        (system.files / f"{id_}.bin").unlink()
        with pytest.raises(httpx2.RemoteProtocolError):
            await answer.aread()


# Listing and deleting


async def test_the_files_of_a_session(user: User, other_user: User, sql: Sql) -> None:
    session_id, request_id = ids_of(sql, user)
    first = await upload(user.http, session_id=session_id, request_id=request_id)
    second = await upload(user.http, session_id=session_id)
    await upload(user.http)
    path = f"/files?session_id={session_id}"
    expected = [
        {"file_id": first, "session_id": session_id, "request_id": request_id},
        {"file_id": second, "session_id": session_id, "request_id": None},
    ]
    assert good(await user.http.get(path)) == expected
    assert good(await other_user.http.get(path)) == []
    assert faults(await user.http.get("/files")) == [("missing", ["query", "session_id"])]


async def test_all_of_a_users_files_newest_first(
    user: User, agent: httpx2.AsyncClient, sql: Sql
) -> None:
    ids = [await upload(user.http, content=b"x" * size) for size in range(3)]
    listed = good(await agent.get("/user/files/metadata"))
    assert [(one["id"], one["size"]) for one in listed] == list(zip(ids, range(3), strict=True))[
        ::-1
    ]
    for one in listed:
        assert one.keys() == METADATA | {"size", "created_at"}
        assert TIME.fullmatch(one["created_at"])
    page = good(await user.http.get("/user/files/metadata?limit=1&offset=1"))
    assert [one["id"] for one in page] == [ids[1]]
    assert good(await user.http.get("/user/files/metadata?limit=0")) == []
    assert faults(await user.http.get("/user/files/metadata?limit=-1"))


async def test_a_file_of_unknown_age_comes_last_with_its_size_if_it_is_there(
    user: User, sql: Sql, system: System
) -> None:
    there, gone, new = [await upload(user.http) for _ in range(3)]
    sql("UPDATE files SET size = NULL, created_at = NULL WHERE id IN (%s, %s)", there, gone)
    (system.files / f"{gone}.txt").unlink()
    listed = good(await user.http.get("/user/files/metadata"))
    assert [one["id"] for one in listed] == [new, *sorted([there, gone])]
    found = {one["id"]: (one["size"], one["created_at"]) for one in listed[1:]}
    assert found == {there: (10, None), gone: (None, None)}
    answer = await user.http.get(f"/files/{there}")
    assert (answer.status_code, "last-modified" in answer.headers) == (200, False)


async def test_a_deleted_file_is_gone(user: User, system: System, sql: Sql, file: str) -> None:
    answer = await user.http.delete(f"/files/{file}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert not (system.files / file).exists()
    assert sql("SELECT id FROM files WHERE id = %s", file) == []
    assert file in refused(await user.http.delete(f"/files/{file}"))


async def test_a_file_whose_bytes_are_gone_can_be_deleted(
    user: User, system: System, file: str
) -> None:
    (system.files / f"{file}.txt").unlink()
    assert (await user.http.delete(f"/files/{file}")).status_code == 204


async def test_a_file_named_in_a_message_belongs_to_its_request(user: User, file: str) -> None:
    async with user.chat() as chat:
        response = (await chat.ask("look", files=[file]))["response"]
    found = await metadata(user.http, file)
    assert (found["session_id"], found["request_id"]) == (chat.session_id, response["request_id"])
    assert response["files"] == [found]
    [listed] = good(await user.http.get(f"/files?session_id={chat.session_id}"))
    assert listed["file_id"] == file


# Who, and with which path

ONE_FILE = [
    ("GET", "/files/{}"),
    ("HEAD", "/files/{}"),
    ("GET", "/files/{}/metadata"),
    ("DELETE", "/files/{}"),
]


async def test_head_of_a_foreign_file_is_like_that_of_an_unknown_one(
    user: User, other_user: User, file: str
) -> None:
    heads = [await other_user.http.head(f"/files/{id_}") for id_ in (file, UNKNOWN)]
    assert [(head.status_code, head.content) for head in heads] == [(400, b"")] * 2


@pytest.mark.parametrize(("method", "path"), ONE_FILE)
async def test_an_id_that_is_no_uuid_is_422(user: User, method: str, path: str) -> None:
    answer = await user.http.request(method, path.format("abc"))
    assert answer.status_code == 422
    if method != "HEAD":
        assert faults(answer) == [("uuid_parsing", ["path", "file_id"])]


@pytest.mark.parametrize("path", ["/files/{}", "/files/{}/metadata", "/user/files/metadata"])
async def test_a_trailing_slash_changes_nothing(user: User, file: str, path: str) -> None:
    plain = await user.http.get(path.format(file))
    slashed = await user.http.get(path.format(file) + "/")
    assert (slashed.status_code, slashed.content) == (200, plain.content)


async def test_a_file_may_be_posted_to_a_path_with_a_slash(user: User) -> None:
    answer = await user.http.post("/files/", files={"file": ("a.txt", CONTENT)})
    assert answer.status_code == 201


async def test_browsers_of_other_origins_may_read_downloads(user: User, file: str) -> None:
    answer = await user.http.get(f"/files/{file}", headers={"Origin": ORIGIN})
    assert answer.headers["access-control-allow-origin"] in {"*", ORIGIN}


async def test_swagger_can_upload_and_download(visitor: httpx2.AsyncClient) -> None:
    document = (await visitor.get("/openapi.json")).json()
    body = document["paths"]["/files"]["post"]["requestBody"]["content"]
    assert list(body) == ["multipart/form-data"]
    schema = document["components"]["schemas"]["NewFile"]
    content = schema["properties"]["file"]
    assert (content["type"], content["format"]) == ("string", "binary")
    assert schema["required"] == ["file"]
    responses = document["paths"]["/files/{file_id}"]["get"]["responses"]
    assert responses.keys() >= {"200", "206", "304", "416", "400", "401", "422"}
