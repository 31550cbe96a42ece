"""How much a user's files may be together."""

import asyncio
import socket
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.gateway.files.uploading import ids_of, upload
from tests.sql import Sql
from tests.system import System
from tests.users import User, connect_to, eventually, insert_user

QUOTA = 100_000
TOO_MUCH = (
    "Your files may have 97.6 KB together, and have {} already: this one would be too much,"
    " please delete others first"
)


@pytest.fixture(scope="module")
def gateway(system: System) -> str:
    """One more gateway of the shared system, with a quota."""
    system.start_gateway(FILES_BYTES_PER_USER=str(QUOTA))
    return system.gateways.pop()


@pytest.fixture
async def owner(gateway: str, user: User) -> AsyncIterator[User]:
    """A user at that gateway."""
    async with connect_to(gateway, Authorization=f"Bearer {user.token}") as http:
        yield User(http, user.id, user.name, user.token)


async def post(user: User, size: int) -> httpx2.Response:
    return await user.http.post("/files", files={"file": ("a.bin", bytes(size))})


def stored(sql: Sql, user: User) -> int:
    [row] = sql("SELECT coalesce(sum(size), 0) AS sum FROM files WHERE creator_id = %s", user.id)
    return int(row["sum"])


def refused_at(answer: httpx2.Response, used: str) -> None:
    assert (answer.status_code, answer.json()) == (413, {"detail": TOO_MUCH.format(used)})


async def test_a_file_that_is_too_much_is_413_and_leaves_nothing(
    owner: User, system: System, sql: Sql
) -> None:
    await upload(owner.http, content=bytes(QUOTA - 10))
    objects = set(system.files.iterdir())
    refused_at(await post(owner, 11), "97.6 KB")
    assert set(system.files.iterdir()) == objects
    assert sql("SELECT since FROM stray_objects WHERE since > now() - interval '1 s'") == []
    await upload(owner.http, content=bytes(10))
    assert stored(sql, owner) == QUOTA
    await upload(owner.http, content=b"")


async def test_whoever_is_over_it_is_logged(owner: User, system: System) -> None:
    assert (await post(owner, QUOTA + 1)).status_code == 413
    name = max(name for name in system.children if name.startswith("gateway"))
    line = f"user {owner.id}, from 127.0.0.1, is over FILES_BYTES_PER_USER"

    async def is_logged() -> bool:
        return line in system.log_of(name)

    await eventually(is_logged, "the log says whose files are too much")


async def test_what_is_deleted_makes_room(owner: User, sql: Sql) -> None:
    session_id, _ = ids_of(sql, owner)
    file = await upload(owner.http, content=bytes(QUOTA // 2))
    await upload(owner.http, content=bytes(QUOTA // 2), session_id=session_id)
    refused_at(await post(owner, 1), "97.6 KB")
    assert (await owner.http.delete(f"/files/{file}")).status_code == 204
    assert (await post(owner, QUOTA // 2)).status_code == 201
    deleted = await owner.http.delete("/api/chat", params={"session_id": session_id})
    assert deleted.status_code == 204
    assert (await post(owner, QUOTA // 2)).status_code == 201
    assert stored(sql, owner) == QUOTA


async def test_others_have_room_of_their_own(owner: User, gateway: str, other_user: User) -> None:
    await upload(owner.http, content=bytes(QUOTA))
    async with connect_to(gateway, Authorization=f"Bearer {other_user.token}") as http:
        await upload(http, content=bytes(QUOTA))


async def test_agents_files_count_too(owner: User, gateway: str) -> None:
    token = (await owner.register_agent("painter", "paints"))["jwt"]
    async with connect_to(gateway, Authorization=f"Bearer {token}") as http:
        await upload(http, content=bytes(QUOTA))
    refused_at(await post(owner, 1), "97.6 KB")


async def test_of_many_uploads_at_once_no_more_is_stored_than_fits(owner: User, sql: Sql) -> None:
    answers = await asyncio.gather(*(post(owner, QUOTA // 3) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [413] * 9
    assert stored(sql, owner) == QUOTA // 3 * 3


async def test_a_body_that_can_not_fit_is_refused_before_it_comes(owner: User) -> None:
    await upload(owner.http, content=bytes(QUOTA))
    parts = urlsplit(str(owner.http.base_url))
    head = (
        f"POST /files HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {owner.token}\r\n"
        "Content-Type: multipart/form-data; boundary=B\r\nContent-Length: 50000000\r\n\r\n"
    )

    def ask() -> bytes:
        assert parts.hostname is not None
        with socket.create_connection((parts.hostname, parts.port or 80), timeout=10) as sender:
            sender.sendall(head.encode())
            return sender.recv(65536)

    answer = await asyncio.to_thread(ask)
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_files_of_before_the_quota_are_counted_and_stay(
    user: User, owner: User, sql: Sql
) -> None:
    file = await upload(user.http, content=bytes(2 * QUOTA))
    refused_at(await post(owner, 1), "195.3 KB")
    assert len((await owner.http.get(f"/files/{file}")).content) == 2 * QUOTA
    assert stored(sql, owner) == 2 * QUOTA


async def test_zero_is_no_quota(system: System, sql: Sql) -> None:
    system.start_gateway(FILES_BYTES_PER_USER="0")
    gateway = system.gateways.pop()
    async with (
        insert_user(system, sql) as user,
        connect_to(gateway, Authorization=f"Bearer {user.token}") as http,
    ):
        await upload(http, content=bytes(QUOTA))
