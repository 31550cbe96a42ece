"""Changing providers and changing, reading and deleting model configs, through the real gateway."""

from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest

from gateway.llms.prompt import DEFAULT_SYSTEM_PROMPT
from shared.secrets import Vault
from tests.gateway.shapes import (
    CONFIG,
    PROVIDER,
    PROVIDER_CONFIGS,
    assert_shape,
    faults,
    good,
    refused,
    told,
)
from tests.sql import Sql
from tests.system import System
from tests.users import Json, User

PREFIXES = ["/api/llm", "/api/llms"]
KEY = "sk-very-secret-key"


async def create_provider(user: User, name: str = "openai", **others: Any) -> Json:
    new = {"name": name, "api_key": KEY, "metadata": {"a": "b"}, **others}
    provider: Json = good(await user.http.post("/api/llm/model/provider", json=new))
    return provider


async def update_provider(user: User, name: str = "openai", **changes: Any) -> Json:
    path = f"/api/llm/model/providers/{quote(name)}"
    provider: Json = good(await user.http.patch(path, json=changes))
    return provider


@pytest.fixture
def key_of(sql: Sql, system: System) -> Any:
    """What is stored as a provider's key, in plain."""
    vault = Vault(system.settings.encryption_keys)

    def decrypt(provider: Json) -> str | None:
        [row] = sql("SELECT api_key FROM modelproviders WHERE id = %s", provider["id"])
        place = "modelproviders", UUID(provider["id"]), "api_key"
        return vault.decrypt(row["api_key"], *place) if row["api_key"] else None

    return decrypt


@pytest.fixture
async def config(user: User) -> Json:
    """A model config that differs from the defaults."""
    new = {
        "name": "cfg",
        "model": "gpt",
        "provider": "provider of config",
        "system_prompt": "S",
        "user_prompt": "U",
        "temperature": 0.1,
        "max_last_messages": 3,
        "credentials": {"a": 1},
    }
    [provider] = good(await user.http.post("/api/llm/model/config", json=new))
    created: Json = provider["configs"][0]
    return created


def path_of(config: Json, prefix: str = "/api/llm") -> str:
    return f"{prefix}/model/config/{config['id']}"


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("name", ["openai", "azure openai", "ä&?%"])
async def test_a_providers_new_key_is_stored_and_not_shown(
    user: User, key_of: Any, prefix: str, name: str
) -> None:
    created = await create_provider(user, name)
    path = f"{prefix}/model/providers/{quote(name)}"
    changed = good(await user.http.patch(path, json={"api_key": "sk-new"}))
    assert_shape(changed, PROVIDER)
    assert changed == {**created, "updated_at": changed["updated_at"]}
    assert changed["updated_at"] > created["updated_at"]
    assert key_of(created) == "sk-new"


@pytest.mark.parametrize("key", ["********", "*", None])
async def test_the_key_that_was_shown_leaves_the_stored_one(
    user: User, key_of: Any, key: str | None
) -> None:
    provider = await create_provider(user)
    changed = await update_provider(user, api_key=key, metadata={"c": "d"})
    assert (changed["api_key"], changed["metadata"]) == ("********", {"c": "d"})
    assert key_of(provider) == KEY


@pytest.mark.parametrize("changes", [{}, {"metadata": None}], ids=str)
async def test_what_is_left_out_of_a_provider_stays(user: User, key_of: Any, changes: Json) -> None:
    provider = await create_provider(user)
    assert (await update_provider(user, **changes))["metadata"] == {"a": "b"}
    assert key_of(provider) == KEY


async def test_a_key_with_asterisks_in_it_is_a_key(user: User, key_of: Any) -> None:
    provider = await create_provider(user)
    await update_provider(user, api_key="a*b*c*d")
    assert key_of(provider) == "a*b*c*d"


async def test_an_empty_key_is_refused(user: User, key_of: Any) -> None:
    provider = await create_provider(user)
    answer = await user.http.patch("/api/llm/model/providers/openai", json={"api_key": ""})
    assert refused(answer) == "'api_key' must be specified for this provider"
    assert key_of(provider) == KEY


@pytest.mark.parametrize("key", ["", "x", None, "***"])
async def test_ollama_never_has_a_key(user: User, key_of: Any, key: str | None) -> None:
    provider = await create_provider(user, "ollama")
    changed = await update_provider(user, "ollama", api_key=key, metadata={"base_url": "u"})
    assert (changed["api_key"], changed["metadata"]) == (None, {"base_url": "u"})
    assert key_of(provider) is None


async def test_a_provider_of_the_same_name_of_another_user_stays(
    user: User, other_user: User, key_of: Any
) -> None:
    foreign = await create_provider(other_user)
    await create_provider(user)
    await update_provider(user, api_key="sk-new")
    assert key_of(foreign) == KEY


@pytest.mark.parametrize("changes", [{"api_key": 5}, {"api_key": "\x00"}, {"metadata": []}])
async def test_wrong_changes_of_a_provider_are_one_sentence(reader: User, changes: Json) -> None:
    [field] = changes
    told(await reader.http.patch("/api/llm/model/providers/p", json=changes), field)


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_a_config_is_read_with_its_provider_and_alone(
    user: User, config: Json, prefix: str
) -> None:
    provider = good(await user.http.get(path_of(config, prefix)))
    assert_shape(provider, PROVIDER_CONFIGS)
    assert (provider["provider"], provider["api_key"]) == ("provider of config", "********")
    assert provider["configs"] == [config]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": "other"},
        {"name": "cfg"},
        {"model": "m2", "temperature": 0.9},
        {"system_prompt": "S2", "user_prompt": ""},
        {"max_last_messages": 0, "credentials": {}},
        {"temperature": 0},
    ],
    ids=str,
)
async def test_a_changed_config_is_answered_flat_and_keeps_the_rest(
    user: User, config: Json, changes: Json, prefix: str
) -> None:
    changed = good(await user.http.patch(path_of(config, prefix), json=changes))
    assert_shape(changed, CONFIG)
    assert changed == {**config, **changes}
    assert good(await user.http.get(path_of(config)))["configs"] == [changed]


@pytest.mark.parametrize(
    ("field", "sent", "stored"),
    [
        ("temperature", "1.3", 1.3),
        ("system_prompt", "", DEFAULT_SYSTEM_PROMPT),
        ("credentials", {"a": " b ", "c": 1}, {"a": "b"}),
        ("name", " padded ", "padded"),
    ],
)
async def test_a_change_means_what_it_means_in_a_new_config(
    user: User, config: Json, field: str, sent: object, stored: object
) -> None:
    changed = good(await user.http.patch(path_of(config), json={field: sent}))
    assert changed[field] == stored


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"max_last_messages": 21}, "max_last_messages"),
        ({"name": None}, "name"),
        ({"model": None}, "model"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": None}, "temperature"),
        ({"max_last_messages": None}, "max_last_messages"),
        ({"credentials": None}, "credentials"),
        ({"credentials": []}, "credentials"),
    ],
    ids=str,
)
async def test_wrong_changes_of_a_config_are_one_sentence(
    reader: User, changes: Json, field: str
) -> None:
    told(await reader.http.patch(f"/api/llm/model/config/{uuid4()}", json=changes), field)


async def test_a_config_does_not_change_its_provider(reader: User) -> None:
    path = f"/api/llm/model/config/{uuid4()}"
    answer = await reader.http.patch(path, json={"provider": "openai"})
    assert faults(answer) == [("extra_forbidden", ["body", "provider"])]


async def test_a_configs_new_name_must_not_be_taken(
    user: User, other_user: User, config: Json
) -> None:
    answer = await user.http.patch(path_of(config), json={"name": " config"})
    assert "config" in refused(answer)
    await other_user.create_config("elsewhere")
    assert good(await user.http.patch(path_of(config), json={"name": "elsewhere"}))


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_a_deleted_config_is_gone_and_its_provider_stays(
    user: User, config: Json, prefix: str
) -> None:
    answer = await user.http.delete(path_of(config, prefix))
    assert (answer.status_code, answer.content) == (204, b"")
    again = await user.http.delete(path_of(config, prefix))
    assert refused(again) == f"Config with id '{config['id']}' was not found"
    [provider] = good(await user.http.get("/api/llm/model/configs"))
    assert [one["name"] for one in provider["configs"]] == ["config"]
