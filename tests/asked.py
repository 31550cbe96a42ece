"""Requests that ask agents themselves, or override their model config, as a gateway stores them."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from tests.agent_bridge.stored import execute
from tests.end_to_end.doors.visitors import (
    REGISTER,
    Visitor,
    answer_to,
    until_active,
    visiting,
)
from tests.system import System
from tests.users import Json, User

TEXT: Json = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "copies": {"type": "integer"}},
    "required": ["text"],
}

type React = Callable[[Json], Json | None]


async def ask(system: System, user: User, message: str = "hello", **columns: Any) -> Json:
    """The answer to a message in a new chat whose request has these columns besides."""
    session_id = str(uuid4())
    async with user.chat(session_id) as chat:
        insert_request(system, user, session_id, message, **columns)
        return await chat.receive_answer()


def insert_request(
    system: System,
    user: User,
    session_id: str,
    message: str,
    *,
    asked_id: str | None = None,
    overrides: Json | None = None,
    seconds: float = 60.0,
) -> str:
    """Store a message in a new chat, and its request, which waits for a bridge."""
    request_id = str(uuid4())
    execute(
        system,
        "INSERT INTO chatconversations (session_id, title, creator_id) VALUES (%s, 'asked', %s)",
        session_id,
        user.id,
    )
    execute(
        system,
        """
        INSERT INTO chatmessages (id, request_id, sender_type, content, conversation_id)
        VALUES (gen_random_uuid(), %s, 'user', %s, %s)
        """,
        request_id,
        message,
        session_id,
    )
    execute(
        system,
        """
        INSERT INTO requests (id, session_id, creator_id, status, deadline, asked_id, overrides)
        VALUES (%s, %s, %s, 'queued', now() + %s * interval '1 second', %s, %s)
        """,
        request_id,
        session_id,
        user.id,
        seconds,
        asked_id,
        None if overrides is None else json.dumps(overrides),
    )
    return request_id


async def create_flow(user: User, *agent_ids: str) -> str:
    """A flow of these agents, which are active."""
    members = [{"id": agent_id, "type": "genai"} for agent_id in agent_ids]
    new = {"name": "flow", "description": "all of them", "flow": members}
    created = await user.http.post("/api/agentflows/register", json=new)
    assert created.status_code == 200, created.text
    return str(created.json()["id"])


def saying(make: Callable[[str], Any]) -> React:
    """Answer each call with what is made of its text."""

    def react(frame: Json) -> Json | None:
        if "request_payload" not in frame:
            return None
        return answer_to(frame, make(frame["request_payload"]["text"]))

    return react


def answering(answer: object) -> React:
    """Answer each call so."""

    def react(frame: Json) -> Json | None:
        return answer_to(frame, answer) if "request_payload" in frame else None

    return react


def failing(message: str) -> React:
    """Answer each call with an error."""

    def react(frame: Json) -> Json | None:
        if "request_payload" not in frame:
            return None
        error = {"error_message": message, "error_type": "AgentGeneralError"}
        return {"message_type": "agent_error", "error": error, "invoked_by": frame["invoked_by"]}

    return react


@asynccontextmanager
async def agent_that(
    system: System, user: User, react: React = lambda _: None, schema: Json = TEXT
) -> AsyncIterator[tuple[Visitor, Json]]:
    """An active agent of the user that takes a text, and reacts so."""
    registered = await user.register_agent("visitor")  # whose alias stays
    url = system.doors[-1] if system.doors else system.router_url
    async with visiting(url, X_Custom_Authorization=registered["jwt"]) as visitor:
        visitor.react = react
        payload = {**REGISTER["request_payload"], "agent_input_schema": schema}
        await visitor.say({**REGISTER, "request_payload": payload})
        await until_active(user, registered["id"], is_active=True)
        yield visitor, registered
