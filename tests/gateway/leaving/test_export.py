"""What one takes along: all that there is, and no secret."""

import asyncio
import json
from io import BytesIO
from zipfile import ZipFile

import httpx2

from tests.gateway.belongings import Belongings, insert_person, user_token
from tests.sql import Sql
from tests.system import System
from tests.users import Json, connect_to


async def export(http: httpx2.AsyncClient) -> ZipFile:
    """The archive of who calls."""
    answer = await http.get("/api/me/export")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/zip"
    archive = ZipFile(BytesIO(answer.content))
    assert archive.testzip() is None
    return archive


def lines_of(archive: ZipFile, kind: str) -> list[Json]:
    """The things of a kind."""
    return [json.loads(line) for line in archive.read(f"{kind}.jsonl").splitlines()]


def person(system: System, sql: Sql) -> tuple[Belongings, httpx2.AsyncClient]:
    """Somebody with one thing of each kind."""
    owner = insert_person(sql, system)
    token = user_token(system.settings, owner)
    return owner, connect_to(system.gateway, Authorization=f"Bearer {token}")


async def test_all_that_one_has_is_in_it_and_no_secret(system: System, sql: Sql) -> None:
    owner, client = person(system, sql)
    async with client as http:
        archive = await export(http)
    manifest = json.loads(archive.read("manifest.json"))
    assert (manifest["format"], manifest["version"]) == ("genai-account", 1)
    assert manifest["user"] == {"id": owner.user_id, "username": owner.marker}
    counts = {name: len(lines_of(archive, name)) for name in manifest["counts"]}
    assert counts == manifest["counts"]
    assert {name for name, count in counts.items() if not count} == set()
    assert (counts["messages"], counts["mcp_servers"], counts["files"]) == (2, 1, 1)
    assert archive.read(f"files/{owner.file_id}").decode() == owner.marker
    told = b"".join(map(archive.read, archive.namelist())).decode()
    assert owner.agent_token not in told
    assert owner.api_key not in told
    assert "note" not in told  # which metadata and credentials have
    assert any("tokens of agents" in each for each in manifest["left_out"])


async def test_pages_go_on_where_the_one_before_ended(system: System, sql: Sql) -> None:
    owner, client = person(system, sql)
    sql(
        "INSERT INTO chatmessages (id, sender_type, content, conversation_id, created_at)"
        " SELECT gen_random_uuid(), 'user', n, %s, timestamp '2026-01-01'"
        " FROM generate_series(1, 1200) AS n",
        owner.session_id,
    )
    async with client as http:
        archive = await export(http)
    told = [each["content"] for each in lines_of(archive, "messages")]
    assert {*map(str, range(1, 1201))} <= {*told}
    assert len(told) == 1202


async def test_one_export_of_a_user_goes_on_at_a_time(system: System, sql: Sql) -> None:
    owner, client = person(system, sql)
    big = system.files / f"{owner.file_id}.txt"
    big.write_bytes(b"x" * 64 * 1024 * 1024)  # more than buffers hold
    async with client as http, http.stream("GET", "/api/me/export") as slow:
        assert slow.status_code == 200
        refused = await http.get("/api/me/export")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
        others = await asyncio.wait_for(http.get("/api/chats"), 5)
        assert others.status_code == 200
        ended = await http.delete("/api/sessions/sign-ins")
        assert ended.status_code == 200
        await http.post("/api/logout")
        cut = False
        try:
            async for _ in slow.aiter_bytes():
                pass
        except (httpx2.RemoteProtocolError, httpx2.ReadError):
            cut = True
        assert cut, "what is revoked is cut off"
