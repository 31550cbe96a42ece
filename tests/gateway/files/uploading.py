"""How tests upload files, and what they get told of them."""

from typing import Any
from uuid import UUID, uuid4

import httpx2

from tests.gateway.shapes import good
from tests.sql import Sql
from tests.users import User

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
