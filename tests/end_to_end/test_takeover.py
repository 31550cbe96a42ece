"""An installation of the original is taken over: its users, agents and files go on with ours."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any
from uuid import uuid4

import httpx2
import psycopg
import pytest
from attrs import evolve, frozen
from psycopg import Connection, sql

import shared.reencrypt.__main__ as reencrypting
import shared.upgrade.migrate as migrating
from shared.secrets import REDACTED
from tests.agent_bridge.actors import connected_agent, until_active
from tests.master import run_master
from tests.migrations.catalogue import read_tables
from tests.original import (
    LONG_PASSWORD,
    OLD_SECRET,
    RIGHT_ANSWER,
    RIGHT_CARD,
    Owner,
    create_tables,
    encrypt_key,
    insert_owner,
)
from tests.system import EMPTY, Stores, System
from tests.users import User

LISTS: dict[str, Any] = {"skills": [], "defaultInputModes": [], "defaultOutputModes": []}
PLAIN_CHAT = uuid4()


@frozen
class Taken:
    """The installation that was taken over, with what its operator was told."""

    system: System
    connection: Connection
    owner: Owner
    odd: Owner
    report: str
    first: str
    second: str
    same_after_second: bool
    left: str
    """What `python -m shared.reencrypt` names."""


@contextmanager
def variables_of(system: System) -> Iterator[None]:
    """The environment of the operator: the services have a role of their own."""
    files = {"DEFAULT_FILES_FOLDER_NAME": str(system.files)}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**files, **system.migrating_environment}.items():
            patch.setenv(name, value)
        yield


def run_migrate(system: System, *arguments: str) -> str:
    """What the command tells."""
    with variables_of(system), redirect_stdout(StringIO()) as told:
        assert migrating.main(arguments) == 0
    return told.getvalue()


def run_reencrypt(system: System) -> str:
    """What the command could not read."""
    with variables_of(system), redirect_stderr(StringIO()) as told:
        assert reencrypting.main() == 1
    return told.getvalue()


def insert_odd_rows(odd: Owner) -> None:
    """Rows as they get there, too."""
    for number, content in enumerate(["null", '"{\\"version\\": \\"1\\"}"']):
        url = f"http://127.0.0.1:9/{number}"
        odd.insert("a2acards", server_url=url, card_content=content, is_active=True)
    for alias in (None, "add numbers_abcdef", "add numbers_abcdef"):
        row = {"id": uuid4(), "name": "add numbers", "inputSchema": "null", "alias": alias}
        columns = sql.SQL(", ").join(map(sql.Identifier, [*row, "mcp_server_id"]))
        statement = sql.SQL("INSERT INTO mcptools ({}) VALUES (%s, %s, %s, %s, %s)")
        odd.connection.execute(statement.format(columns), [*row.values(), odd.server])
    described = {"name": "f", "description": "d", "is_active": True}
    for flow in ("[]", '[{"id": "x"}]', json.dumps([str(uuid4()), str(odd.agent)])):
        odd.insert("agentworkflows", **described, alias=f"f_{uuid4()}", flow=flow)
    named = {"name": "", "description": "", "is_active": True}
    odd.insert("agents", **named, alias="_a", jwt="no token", input_parameters='"text"')
    odd.insert("modelproviders", name="ollama", provider_metadata="null")
    lost = encrypt_key("sk-lost", "another secret")
    odd.insert("modelproviders", name="lost", api_key=lost, provider_metadata={})
    odd.insert_message("master_agent", "plain", created_at="2026-01-01 10:00:02", request_id=None)
    odd.connection.execute(
        "INSERT INTO chatconversations (session_id, title, creator_id) VALUES (%s, '', %s)",
        [PLAIN_CHAT, odd.id],
    )


def digest(connection: Connection) -> dict[str, Any]:
    """All tables, and a checksum of the rows of each."""
    tables = read_tables(connection)
    rows = {}
    for name in tables:
        query = sql.SQL("SELECT md5(string_agg(row::text, ',' ORDER BY row::text)) FROM {} AS row")
        rows[name] = connection.execute(query.format(sql.Identifier(name))).fetchone()
    return {"tables": tables, "rows": rows}


@pytest.fixture(scope="module")
def taken(stores: Stores) -> Iterator[Taken]:
    """The pair on the original's database and files."""
    with (
        evolve(stores, template=EMPTY).system(SECRET_KEY=OLD_SECRET) as system,
        psycopg.connect(system.settings.database_url, autocommit=True) as connection,
    ):
        create_tables(connection)
        owner, odd = insert_owner(connection), insert_owner(connection, LONG_PASSWORD)
        insert_odd_rows(odd)
        system.files.mkdir()
        (system.files / f"{owner.file}.txt").write_text("of the original")
        yield take_over(system, connection, owner, odd)


def take_over(system: System, connection: Connection, owner: Owner, odd: Owner) -> Taken:
    """Do what the README tells operators to do."""
    report, first = run_migrate(system, "--report"), run_migrate(system)
    before = digest(connection)
    second = run_migrate(system)
    same = digest(connection) == before
    left = run_reencrypt(system)
    system.start_router()
    system.start_gateway()
    system.start_bridge()
    return Taken(system, connection, owner, odd, report, first, second, same, left)


@asynccontextmanager
async def log_in(taken: Taken, owner: Owner) -> AsyncIterator[User]:
    """The user as a front-end gets in."""
    async with httpx2.AsyncClient(base_url=taken.system.gateway, verify=False) as http:
        credentials = {"username": owner.name, "password": owner.password}
        login = await http.post("/api/login/access-token", data=credentials)
        assert login.status_code == 200, login.text
        token = login.json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        yield User(http, str(owner.id), owner.name, token)


@pytest.fixture
async def user(taken: Taken) -> AsyncIterator[User]:
    async with log_in(taken, taken.owner) as user:
        yield user


@pytest.fixture
async def odd_user(taken: Taken) -> AsyncIterator[User]:
    async with log_in(taken, taken.odd) as user:
        yield user


async def read(user: User, path: str, **query: object) -> Any:
    answer = await user.http.get(path, params={key: str(value) for key, value in query.items()})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_operator_is_told_before_and_after(taken: Taken) -> None:
    assert "2 will be encrypted anew" in taken.report
    assert "1 are there and stay where they are" in taken.report
    assert "2 provider keys encrypted anew" in taken.first
    assert "does not decrypt the keys of providers" in taken.first


def test_a_second_migration_changes_nothing(taken: Taken) -> None:
    assert taken.same_after_second
    assert "applied" not in taken.second
    assert "encrypted" not in taken.second


async def test_the_first_login_gives_an_old_password_a_new_hash(taken: Taken) -> None:
    for _ in range(2):
        for owner in (taken.owner, taken.odd):
            async with log_in(taken, owner):
                query = "SELECT password FROM users WHERE id = %s"
                [(stored,)] = taken.connection.execute(query, [owner.id])
                assert stored.startswith("$argon2id$")


async def test_what_was_stored_is_listed(user: User, taken: Taken) -> None:
    owner = taken.owner
    [agent] = await read(user, "/api/agents/")
    assert (agent["agent_id"], agent["agent_name"]) == (str(owner.agent), "weather")
    assert agent["agent_jwt"] == owner.token
    [flow] = await read(user, "/api/agentflows/")
    assert [member["id"] for member in flow["flow"]] == [str(owner.agent), str(owner.tool)]
    [provider] = await read(user, "/api/llm/model/configs")
    assert (provider["api_key"], provider["metadata"]) == (REDACTED, {"endpoint": "e"})
    assert [config["id"] for config in provider["configs"]] == [str(owner.config)]
    [server] = await read(user, "/api/mcp/servers")
    assert [tool["id"] for tool in server["mcp_tools"]] == [str(owner.tool)]
    [card] = await read(user, "/api/a2a/agents")
    assert (card["id"], card["card_content"]) == (str(owner.card), RIGHT_CARD)
    profile = await read(user, f"/api/profiles/{owner.id}")
    assert profile["first_name"] is None


async def test_chats_are_there_with_their_messages_and_logs(user: User, taken: Taken) -> None:
    owner = taken.owner
    chats = (await read(user, "/api/chats"))["chats"]
    assert str(owner.chat) in {chat["session_id"] for chat in chats}
    question, answer = (await user.history(str(owner.chat)))[:2]
    assert (question["content"], json.loads(answer["content"])) == ("hi", RIGHT_ANSWER)
    assert question["created_at"] == "2026-01-01T10:00:00.000001"
    logs = await read(user, "/api/logs/list", session_id=owner.chat)
    assert json.loads(logs[0]["message"])["request_payload"]["configs"]["api_key"] == REDACTED
    assert logs[1]["message"] == "no secret"


async def test_a_file_is_downloaded_and_a_missing_one_is_told(
    user: User, odd_user: User, taken: Taken
) -> None:
    path = f"/files/{taken.owner.file}"
    assert (await user.http.get(path)).text == "of the original"
    assert (await read(user, f"{path}/metadata"))["original_name"] == "a b.txt"
    [listed] = await read(user, "/user/files/metadata")
    assert listed["size"] == len("of the original")
    missing = await odd_user.http.get(f"/files/{taken.odd.file}")
    assert missing.status_code == 500
    assert "file was not found" in missing.json()["detail"]


async def test_odd_rows_are_listed_like_any_others(odd_user: User, taken: Taken) -> None:
    cards = [card["card_content"] for card in await read(odd_user, "/api/a2a/agents")]
    assert LISTS in cards
    assert {**LISTS, "version": "1"} in cards
    [server] = await read(odd_user, "/api/mcp/servers")
    aliases = {tool["alias"] for tool in server["mcp_tools"]}
    assert len(aliases) == 4
    assert {alias[:-7] for alias in aliases} == {"add numbers"}
    flows = await read(odd_user, "/api/agentflows/")
    assert sorted(len(flow["flow"]) for flow in flows) == [1, 1, 2, 2]
    assert not any(flow["is_active"] for flow in flows)
    providers = {each["provider"]: each for each in await read(odd_user, "/api/llm/model/configs")}
    assert (providers["ollama"]["api_key"], providers["ollama"]["metadata"]) == (None, {})
    await read(odd_user, "/api/agents/active", agent_type="all")
    *_, answer = await odd_user.history(str(taken.odd.chat))
    assert json.loads(answer["content"])["response"] == "plain"
    assert await odd_user.history(str(PLAIN_CHAT)) == []


def test_afterwards_only_what_is_lost_is_not_encrypted_with_the_new_keys(taken: Taken) -> None:
    query = "SELECT id FROM modelproviders WHERE name = 'lost'"
    [(lost,)] = taken.connection.execute(query)
    assert taken.left == f"modelproviders.api_key of {lost} can't be decrypted\n"
    rows = taken.connection.execute("SELECT jwt FROM agents WHERE id = %s", [taken.owner.agent])
    assert [jwt for (jwt,) in rows] == [taken.owner.token.rpartition(".")[0]]


async def test_an_agent_goes_on_with_its_old_token(user: User, taken: Taken) -> None:
    agent_id = str(taken.owner.agent)
    async with connected_agent(taken.system, taken.owner.token) as agent:
        await agent.register("weather", "tells it")
        await until_active(user, agent_id)
    headers = {"Authorization": f"Bearer {taken.owner.token}"}
    listed = await user.http.get("/api/agents/", headers=headers)
    assert [each["agent_id"] for each in listed.json()] == [agent_id]


async def test_an_old_chat_goes_on_with_the_old_key(user: User, taken: Taken) -> None:
    owner = taken.owner
    async with run_master(taken.system.router_url) as master:
        async with user.chat(str(owner.chat)) as chat:
            answer = await chat.ask("more", llm_name=f"config {owner.id}", provider="openai")
        assert answer["response"]["is_success"]
        [invocation] = master.invocations
    assert invocation.payload["configs"]["llm"]["api_key"] == owner.api_key
    contents = [item["content"] for item in await user.history(str(owner.chat))]
    assert contents[0] == "hi"
    assert contents[-2] == "more"


async def test_a_key_that_is_lost_is_told_in_the_answer(odd_user: User, taken: Taken) -> None:
    new = {"name": "of lost", "model": "m", "provider": "lost"}
    assert (await odd_user.http.post("/api/llm/model/config", json=new)).status_code == 200
    async with run_master(taken.system.router_url), odd_user.chat() as chat:
        answer = await chat.ask("hi", llm_name="of lost", provider="lost")
    assert "can't be decrypted" in answer["error"]
