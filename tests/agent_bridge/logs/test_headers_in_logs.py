"""What the user's servers are sent does not stand in log entries."""

import json
from uuid import UUID, uuid4

import pytest

from shared.domain.grants import Grant, seal_grant
from shared.domain.headers import HeadersTable, seal_headers
from shared.secrets import Vault
from tests.agent_bridge.stored import select_logs
from tests.master import Master
from tests.sql import Sql
from tests.system import System
from tests.users import User

TABLES: tuple[HeadersTable, ...] = ("mcpservers", "a2acards")
INSERT = {
    "mcpservers": """
        INSERT INTO mcpservers (headers, id, server_url, creator_id, is_active)
        VALUES (%s, %s, 'http://s.example', %s, true)
    """,
    "a2acards": """
        INSERT INTO a2acards (headers, id, name, alias, description, server_url, card_content,
                              creator_id, is_active)
        VALUES (%s, %s, 'card', gen_random_uuid(), '', 'http://s.example',
                '{"skills": [], "defaultInputModes": [], "defaultOutputModes": []}', %s, true)
    """,
}


@pytest.mark.parametrize("table", TABLES)
async def test_headers_of_the_user_s_servers_are_redacted(
    system: System, user: User, master: Master, sql: Sql, table: HeadersTable
) -> None:
    headers = {"Authorization": "Bearer t0ken-of-the-server", "X-Key": "k3y of the server"}
    id_, vault = uuid4(), Vault(system.settings.encryption_keys)
    sealed = seal_headers(vault, table, id_, headers)
    sql(INSERT[table], json.dumps(sealed), id_, UUID(user.id))
    async with user.chat() as chat:
        await chat.ask("hello")
        text = f"{json.dumps(headers)} t0ken-of-the-server"
        await master.log(text, chat.session_id, master.invocations[0].request_id)
        told = (await chat.receive())["log"]["message"]
    assert told == '{"Authorization": "Bearer ********", "X-Key": "********"} ********'
    assert [row["message"] for row in select_logs(system, chat.session_id)] == [told]


async def test_tokens_that_were_granted_are_redacted(
    system: System, user: User, master: Master, sql: Sql
) -> None:
    client = {"client_id": "client", "client_secret": "s3cret-of-the-client"}
    grant = Grant(
        client,
        is_given=True,
        token_endpoint="http://as.example/token",
        access_token="acc3ss-token",
        refresh_token="r3fresh-token",
    )
    id_, vault = uuid4(), Vault(system.settings.encryption_keys)
    sql(INSERT["mcpservers"], None, id_, UUID(user.id))
    sealed = seal_grant(vault, id_, grant)
    sql("UPDATE mcpservers SET oauth = %s WHERE id = %s", sealed, id_)
    async with user.chat() as chat:
        await chat.ask("hello")
        text = f"client {' '.join(grant.secrets)}"
        await master.log(text, chat.session_id, master.invocations[0].request_id)
        told = (await chat.receive())["log"]["message"]
    assert told == "client ******** ******** ********"
