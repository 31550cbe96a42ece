"""What a front-end does: a user with a token, REST calls, and chats over the WebSocket."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import httpx2
from attrs import define, frozen
from websockets.asyncio.client import ClientConnection, connect

from shared.tokens import issue_user_token
from tests.sql import Sql
from tests.system import System

PASSWORD = "Passw0rd!"
SSL_CONTEXT = ssl.create_default_context()  # takes a client 50 ms to make, and is never used
FRAME_SECONDS = 30.0  # which only a test that fails waits

type Json = dict[str, Any]


@frozen
class User:
    """A logged-in user; `http` carries the token."""

    http: httpx2.AsyncClient
    id: str
    name: str
    token: str

    @property
    def socket_url(self) -> str:
        """Where the user's chats connect, without a query."""
        return str(self.http.base_url).rstrip("/").replace("http", "ws", 1) + "/frontend/ws"

    async def create_config(self, name: str = "config", api_key: str = "sk-user-secret") -> None:
        """Make a provider and a model config of it."""
        provider = {"name": f"provider of {name}", "api_key": api_key, "metadata": {}}
        created = await self.http.post("/api/llm/model/provider", json=provider)
        assert created.status_code == 200, created.text
        config = {"name": name, "model": "m", "provider": provider["name"]}
        created = await self.http.post("/api/llm/model/config", json=config)
        assert created.status_code == 200, created.text

    async def register_agent(self, name: str = "", description: str = "") -> Json:
        """Register an agent; its token is `jwt`."""
        new = {"name": name, "description": description, "input_parameters": {}}
        created = await self.http.post("/api/agents/register", json=new)
        assert created.status_code == 200, created.text
        agent: Json = created.json()
        return agent

    async def read_agent(self, agent_id: str) -> Json:
        """The stored agent."""
        agent: Json = (await self.http.get(f"/api/agents/{agent_id}")).json()
        return agent

    async def sign_in_again(self) -> None:
        """Log in once more; `http` carries the new token."""
        credentials = {"username": self.name, "password": PASSWORD}
        login = await self.http.post("/api/login/access-token", data=credentials)
        assert login.status_code == 200, login.text
        self.http.headers["Authorization"] = f"Bearer {login.json()['access_token']}"

    async def history(self, session_id: str) -> list[Json]:
        """The chat's messages, oldest first."""
        answer = await self.http.get("/api/chat", params={"session_id": session_id})
        items: list[Json] = answer.json()["items"]
        return items[::-1]

    @asynccontextmanager
    async def chat(
        self, session_id: str | None = None, after: int | None = None, protocol: int | None = None
    ) -> AsyncIterator["Chat"]:
        """An open socket, of a new session unless one is named."""
        session = session_id or str(uuid4())
        query = {"token": self.token, "session_id": session, "after": after, "protocol": protocol}
        given = {name: str(value) for name, value in query.items() if value is not None}
        url = f"{self.socket_url}?{urlencode(given)}"
        async with connect(url, compression=None, max_size=None) as connection:
            yield Chat(connection, session)


@define
class Chat:
    """The front-end's side of a socket."""

    connection: ClientConnection
    session_id: str

    async def send(self, message: str, **others: Any) -> None:
        """Send a message."""
        await self.send_frame({"message": message, **others})

    async def send_frame(self, frame: Json) -> None:
        """Send a frame of any kind."""
        await self.connection.send(json.dumps(frame))

    async def receive(self) -> Json:
        """The next frame."""
        frame: Json = json.loads(await self.receive_text())
        return frame

    async def receive_text(self) -> str:
        """The next frame as it came."""
        async with asyncio.timeout(FRAME_SECONDS):
            text = await self.connection.recv()
        assert isinstance(text, str)
        return text

    async def receive_answer(self) -> Json:
        """The next answer; the log entries before it are passed over."""
        while (frame := await self.receive())["type"] != "agent_response":
            pass
        return frame

    async def ask(self, message: str, **others: Any) -> Json:
        """Send a message and return the answer's frame."""
        await self.send(message, **others)
        return await self.receive_answer()


def connect_to(gateway: str, **headers: str) -> httpx2.AsyncClient:
    """A client of a gateway."""
    return httpx2.AsyncClient(base_url=gateway, timeout=30, verify=SSL_CONTEXT, headers=headers)


@asynccontextmanager
async def register_user(gateway: str, name: str | None = None) -> AsyncIterator[User]:
    """Register a new user and log in."""
    name = name or f"user-{uuid4()}"
    credentials = {"username": name, "password": PASSWORD}
    async with connect_to(gateway) as http:
        registered = await http.post("/api/register", json=credentials)
        assert registered.status_code == 200, registered.text
        login = await http.post("/api/login/access-token", data=credentials)
        assert login.status_code == 200, login.text
        token = login.json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        yield User(http, registered.json()["id"], name, token)


def insert_sign_in(sql: Sql, user_id: UUID) -> UUID:
    """A sign-in of a user's, as by password."""
    id_ = uuid4()
    sql(
        """
        INSERT INTO sign_ins (id, user_id, method, device, address, expires_at)
        VALUES (%s, %s, 'password', 'a test', '127.0.0.1', now() + interval '6 hours')
        """,
        *(id_, user_id),
    )
    return id_


@asynccontextmanager
async def insert_user(system: System, sql: Sql) -> AsyncIterator[User]:
    """A new user without a password, whose hash would take longer than most tests, with a config.

    `sql` is of the system's database.
    """
    id_ = uuid4()
    name = f"user-{id_}"
    sql("INSERT INTO users (id, username, password) VALUES (%s, %s, '-')", id_, name)
    token = issue_user_token(system.settings.secret_key, id_, insert_sign_in(sql, id_))
    async with connect_to(system.gateway, Authorization=f"Bearer {token}") as http:
        user = User(http, str(id_), name, token)
        await user.create_config()
        yield user


async def eventually(
    holds: Callable[[], Awaitable[bool]], what: str, seconds: float = 10.0
) -> None:
    """Wait until something holds, and fail with `what` when it does not in time."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await holds():
        assert asyncio.get_running_loop().time() < deadline, f"not so after {seconds} s: {what}"
        await asyncio.sleep(0.02)
