"""An installation as the original leaves it: its tables, and rows as odd as they get there."""

import json
import os
import secrets
from base64 import b64encode
from collections.abc import Iterator
from hashlib import scrypt
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import bcrypt
import jwt
from attrs import field, frozen
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import Connection

from shared.domain.agents import make_tool_alias
from shared.tokens import AGENT_TOKEN_EXPIRY
from shared.upgrade.original import REVISION
from tests.migrations.rows import insert
from tests.users import PASSWORD

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parent / "migrations" / "schema.json").read_text()
)
LONG_PASSWORD = PASSWORD + "é" * 80
OLD_SECRET = secrets.token_hex(16)  # good enough for the services, too
RIGHT_CARD = {"skills": [], "defaultInputModes": [], "defaultOutputModes": [], "version": "1"}
RIGHT_ANSWER = {"agents_trace": [{"a": 1}], "response": "hello", "is_success": True}


def create_tables(connection: Connection, revision: str | None = REVISION) -> None:
    """Make exactly the tables that were recorded, and the mark of the original's migrations."""
    with connection.transaction():
        connection.execute(";".join(_statements()).encode())
        if revision is not None:
            connection.execute("INSERT INTO alembic_version VALUES (%s)", [revision])


def _statements() -> Iterator[str]:
    for name, labels in SCHEMA["enums"].items():
        yield f"CREATE TYPE {name} AS ENUM ({', '.join(map(repr, labels))})"
    tables = SCHEMA["tables"]
    for name, table in tables.items():
        columns = ", ".join(_column(column) for column in table["columns"])
        yield f"CREATE TABLE {name} ({columns})"
    for kind in ("PRIMARY", "UNIQUE", "FOREIGN"):
        for name, table in tables.items():
            for constraint in table["constraints"]:
                if constraint["definition"].startswith(kind):
                    yield "ALTER TABLE {} ADD CONSTRAINT {name} {definition}".format(
                        name, **constraint
                    )
    for name, table in tables.items():
        constraints = {constraint["name"] for constraint in table["constraints"]}
        for index in table["indexes"]:
            if index["name"] not in constraints:
                unique = "UNIQUE" if index["unique"] else ""
                yield f"CREATE {unique} INDEX {index['name']} ON {name} USING {index['on']}"


def _column(column: dict[str, Any]) -> str:
    default = column.get("default", "")
    if default.startswith("nextval"):
        return f'"{column["name"]}" serial'
    null = "" if column["nullable"] else "NOT NULL"
    return f'"{column["name"]}" {column["type"]} {null} {f"DEFAULT {default}" if default else ""}'


def encrypt_key(key: str, secret: str = OLD_SECRET) -> str:
    """A provider key as the original stores it."""
    salt, nonce = os.urandom(16), os.urandom(16)
    derived = scrypt(secret.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
    sealed = AESGCM(derived).encrypt(nonce, key.encode(), None)
    return "*".join(b64encode(part).decode() for part in (sealed[:-16], salt, nonce, sealed[-16:]))


@frozen
class Owner:
    """A user of the original with one of everything, and what was stored."""

    connection: Connection = field(repr=False)
    password: str = PASSWORD
    api_key: str = field(factory=lambda: f"sk-{uuid4()}", repr=False)
    id: UUID = field(factory=uuid4)
    agent: UUID = field(factory=uuid4)
    flow: UUID = field(factory=uuid4)
    provider: UUID = field(factory=uuid4)
    config: UUID = field(factory=uuid4)
    server: UUID = field(factory=uuid4)
    tool: UUID = field(factory=uuid4)
    card: UUID = field(factory=uuid4)
    chat: UUID = field(factory=uuid4)
    request: UUID = field(factory=uuid4)
    file: UUID = field(factory=uuid4)

    @property
    def name(self) -> str:
        """The user's name."""
        return f"user {self.id}"

    @property
    def token(self) -> str:
        """The token that the user's agent holds; the original gives it no id of its own."""
        claims = {"sub": str(self.agent), "exp": AGENT_TOKEN_EXPIRY, "user_id": str(self.id)}
        return jwt.encode(claims, OLD_SECRET, "HS256")

    def insert(self, table: str, **row: Any) -> UUID:
        """Add a row of the user's, with an id of its own unless there is one; returns the id."""
        own = {"id": uuid4(), "creator_id": self.id, **row}
        insert(self.connection, table, {name: _stored(value) for name, value in own.items()})
        return UUID(str(own["id"]))

    def insert_log(self, message: str, session: UUID | None = None) -> None:
        """Add a log entry as the original does: without who created it."""
        row = {"session_id": session or self.chat, "request_id": self.request, "log_level": "info"}
        insert(self.connection, "logs", {**row, "message": message, "agent_id": "master_server_ml"})

    def insert_message(self, sender: str, content: str, **others: Any) -> UUID:
        """Add a message to the user's chat."""
        row = {"id": uuid4(), "sender_type": sender, "content": content, "request_id": self.request}
        insert(self.connection, "chatmessages", {**row, "conversation_id": self.chat, **others})
        return UUID(str(row["id"]))


def _stored(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (dict, list)) else value


def insert_owner(connection: Connection, password: str = PASSWORD) -> Owner:
    """Store a user with one of everything."""
    owner = Owner(connection, password)
    hashed = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()
    user = {"id": owner.id, "username": owner.name, "password": hashed}
    insert(connection, "users", user)
    _insert_callables(owner)
    _insert_chat(owner)
    _insert_models(owner)
    return owner


def _insert_models(owner: Owner) -> None:
    owner.insert(
        "modelproviders",
        id=owner.provider,
        name="openai",
        api_key=encrypt_key(owner.api_key),
        provider_metadata={"endpoint": "e"},
    )
    owner.insert(
        "modelconfigs",
        id=owner.config,
        name=f"config {owner.id}",
        model="m",
        provider_id=owner.provider,
        system_prompt="s",
        max_last_messages=5,
        temperature=0.5,
        credentials={"region_token": f"token-{owner.id}"},
    )


def _insert_callables(owner: Owner) -> None:
    described = {"description": "d", "is_active": True}
    function = {"type": "function", "function": {"name": "n", "description": "d", "parameters": {}}}
    owner.insert(
        "agents",
        **described,
        id=owner.agent,
        name="weather",
        alias=f"weather_{owner.agent}",
        jwt=owner.token,
        input_parameters=function,
    )
    owner.insert("mcpservers", id=owner.server, server_url="http://127.0.0.1:9/mcp", is_active=True)
    tool = {
        "id": owner.tool,
        "name": "add numbers",
        "alias": make_tool_alias("add numbers"),
        "inputSchema": '{"type": "object"}',
        "mcp_server_id": owner.server,
    }
    insert(owner.connection, "mcptools", tool)
    owner.insert(
        "a2acards",
        **described,
        id=owner.card,
        name="Card",
        alias=f"Card_{owner.card}",
        server_url="http://127.0.0.1:9",
        card_content=RIGHT_CARD,
    )
    members = [{"id": str(owner.agent), "type": "genai"}, {"id": str(owner.tool), "type": "mcp"}]
    named = {"name": "flow", "alias": f"flow_{owner.flow}"}
    owner.insert("agentworkflows", **described, **named, id=owner.flow, flow=members)


def _insert_chat(owner: Owner) -> None:
    chat = {"session_id": owner.chat, "title": "chat", "creator_id": owner.id}
    insert(owner.connection, "chatconversations", chat)
    owner.insert_message("user", "hi", created_at="2026-01-01 10:00:00.000001")
    answer = json.dumps(RIGHT_ANSWER)
    owner.insert_message("master_agent", answer, created_at="2026-01-01 10:00:01.000001")
    logged = {"request_payload": {"configs": {"api_key": owner.api_key}}}
    owner.insert_log(json.dumps(logged))
    owner.insert_log("no secret")
    owner.insert(
        "files",
        id=owner.file,
        internal_id=owner.file,
        session_id=owner.chat,
        request_id=owner.request,
        mimetype="text/plain",
        original_name="a b.txt",
        internal_name=f"{owner.file}.txt",
        from_agent=False,
    )
