"""Files listed, deleted, and kept from others."""

import httpx2
import pytest

from tests.gateway.files.uploading import (
    CONTENT,
    METADATA,
    ORIGIN,
    UNKNOWN,
    ids_of,
    metadata,
    upload,
)
from tests.gateway.shapes import TIME, faults, good, refused
from tests.sql import Sql
from tests.system import System
from tests.users import User

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
