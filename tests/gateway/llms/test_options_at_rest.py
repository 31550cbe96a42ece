"""Metadata and credentials in PostgreSQL: encrypted, and told to their user as they were given."""

import json
from typing import Any

import pytest

from shared.secrets import is_sealed
from tests.gateway.shapes import good
from tests.master import Master
from tests.sql import Sql, run_sql
from tests.system import System
from tests.users import User, register_user

METADATA = {"endpoint": "https://x", "token": "t-secret"}
CREDENTIALS = {"api_version": "1", "api_secret": "c-secret"}
PROVIDER = {"name": "azure", "api_key": "sk-secret", "metadata": METADATA}
CONFIG = {"name": "cfg", "model": "m", "provider": "azure", "credentials": CREDENTIALS}


async def create_both(user: User) -> str:
    """The id of a config with credentials, of a provider with metadata."""
    good(await user.http.post("/api/llm/model/provider", json=PROVIDER))
    [provider] = good(await user.http.post("/api/llm/model/config", json=CONFIG))
    return str(provider["configs"][0]["id"])


def stored(sql: Sql, user: User) -> tuple[Any, Any]:
    [provider] = sql(
        "SELECT provider_metadata AS stored FROM modelproviders"
        " WHERE creator_id = %s AND name = 'azure'",
        user.id,
    )
    [config] = sql(
        "SELECT credentials AS stored FROM modelconfigs WHERE creator_id = %s AND name = 'cfg'",
        user.id,
    )
    return provider["stored"], config["stored"]


async def shown(user: User, config_id: str) -> list[tuple[Any, Any]]:
    """What the list and the config by itself show."""
    listed = good(await user.http.get("/api/llm/model/configs"))
    [of_azure] = [each for each in listed if each["provider"] == "azure"]
    alone = good(await user.http.get(f"/api/llm/model/config/{config_id}"))
    return [(each["metadata"], each["configs"][0]["credentials"]) for each in (of_azure, alone)]


async def test_what_is_given_is_encrypted_and_shown(user: User, sql: Sql) -> None:
    config_id = await create_both(user)
    assert all(is_sealed(text) for text in stored(sql, user))
    assert await shown(user, config_id) == [(METADATA, CREDENTIALS)] * 2


async def test_what_is_changed_is_too(user: User, sql: Sql) -> None:
    config_id = await create_both(user)
    new = {"new": "n-secret"}
    of_provider = {"metadata": new}
    changed = good(await user.http.patch("/api/llm/model/providers/azure", json=of_provider))
    assert changed["metadata"] == new
    of_config = {"credentials": new}
    changed = good(await user.http.patch(f"/api/llm/model/config/{config_id}", json=of_config))
    assert changed["credentials"] == new
    assert all(is_sealed(text) for text in stored(sql, user))
    assert await shown(user, config_id) == [(new, new)] * 2


async def test_a_change_of_something_else_leaves_them(user: User, sql: Sql) -> None:
    config_id = await create_both(user)
    before = stored(sql, user)
    good(await user.http.patch("/api/llm/model/providers/azure", json={"api_key": "sk-new"}))
    good(await user.http.patch(f"/api/llm/model/config/{config_id}", json={"model": "n"}))
    assert stored(sql, user) == before


async def test_none_are_not_encrypted(user: User, sql: Sql) -> None:
    config_id = await create_both(user)
    good(await user.http.patch("/api/llm/model/providers/azure", json={"metadata": {}}))
    of_config: dict[str, Any] = {"credentials": {}}
    good(await user.http.patch(f"/api/llm/model/config/{config_id}", json=of_config))
    assert stored(sql, user) == ({}, {})
    assert await shown(user, config_id) == [({}, {})] * 2


async def test_what_an_earlier_version_left_in_clear_is_shown_and_given(
    user: User, sql: Sql, master: Master
) -> None:
    config_id = await create_both(user)
    old = {"in": "clear"}
    sql(
        "UPDATE modelproviders SET provider_metadata = %s WHERE creator_id = %s AND name = 'azure'",
        *(json.dumps(old), user.id),
    )
    sql("UPDATE modelconfigs SET credentials = %s WHERE id = %s", json.dumps({"a": "b"}), config_id)
    assert await shown(user, config_id) == [(old, {"a": "b"})] * 2
    async with user.chat() as chat:
        await chat.ask("hello", llm_name="cfg")
    given = master.invocations[0].payload["configs"]["llm"]
    assert (given["in"], given["a"]) == ("clear", "b")


@pytest.mark.usefixtures("master")
@pytest.mark.parametrize(
    ("table", "column", "what"),
    [
        ("modelproviders", "provider_metadata", "metadata of provider azure"),
        ("modelconfigs", "credentials", "credentials of config cfg"),
    ],
    ids=["metadata", "credentials"],
)
async def test_what_can_not_be_decrypted_is_shown_as_empty_and_fails_its_requests(
    user: User, sql: Sql, table: str, column: str, what: str
) -> None:
    config_id = await create_both(user)
    moved = stored(sql, user)[column == "provider_metadata"]
    sql(f"UPDATE {table} SET {column} = %s WHERE creator_id = %s", json.dumps(moved), user.id)  # noqa: S608
    is_metadata = table == "modelproviders"
    expected = ({}, CREDENTIALS) if is_metadata else (METADATA, {})
    assert await shown(user, config_id) == [expected] * 2
    async with user.chat() as chat:
        frame = await chat.ask("hello", llm_name="cfg")
    sentence = f"The {what} can't be decrypted, please enter it again"
    assert frame["error"] == sentence


async def test_while_earlier_services_may_be_there_their_forms_are_stored(
    bare_system: System,
) -> None:
    bare_system.start_gateway()
    with run_sql(bare_system.settings) as sql:
        sql("DELETE FROM sealing")
        async with register_user(bare_system.gateway) as user:
            await create_both(user)
            agent = await user.register_agent()
            assert stored(sql, user) == (METADATA, CREDENTIALS)
            assert stored_token(sql, agent) == agent["jwt"]
            sql("INSERT INTO sealing DEFAULT VALUES")
            changed = good(await user.http.post(f"/api/agents/{agent['id']}/token", json={}))
            assert stored_token(sql, agent) == changed["jwt"].rpartition(".")[0]
            assert (await user.read_agent(agent["id"]))["agent_jwt"] == changed["jwt"]


def stored_token(sql: Sql, agent: dict[str, Any]) -> str:
    [row] = sql("SELECT jwt FROM agents WHERE id = %s", agent["id"])
    return str(row["jwt"])
