"""Providers, whose keys never leave again, and model configs, through the real gateway."""

from typing import Any
from uuid import UUID

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
from tests.users import User

PREFIXES = ["/api/llm", "/api/llms"]
KEY = "sk-very-secret-key"


async def create_provider(user: User, **others: Any) -> dict[str, Any]:
    new = {"name": "openai", "api_key": KEY, **others}
    provider: dict[str, Any] = good(await user.http.post("/api/llm/model/provider", json=new))
    return provider


def new_config(**others: Any) -> dict[str, Any]:
    return {"name": "cfg", "model": "gpt", "provider": "provider of config", **others}


async def create_config(user: User, **others: Any) -> dict[str, Any]:
    answer = await user.http.post("/api/llm/model/config", json=new_config(**others))
    [provider] = good(answer)
    config: dict[str, Any] = provider["configs"][0]
    return config


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_a_provider_shows_that_there_is_a_key(user: User, prefix: str) -> None:
    new = {"name": "openai", "api_key": KEY, "metadata": {"endpoint": "x"}}
    provider = good(await user.http.post(f"{prefix}/model/provider", json=new))
    assert_shape(provider, PROVIDER)
    assert (provider["provider"], provider["api_key"]) == ("openai", "********")
    assert provider["metadata"] == {"endpoint": "x"}


async def test_a_key_is_encrypted_for_its_row(user: User, sql: Sql, system: System) -> None:
    id_ = (await create_provider(user))["id"]
    [row] = sql("SELECT api_key FROM modelproviders WHERE id = %s", id_)
    assert KEY not in row["api_key"]
    vault = Vault(system.settings.encryption_keys)
    assert vault.decrypt(row["api_key"], "modelproviders", UUID(id_), "api_key") == KEY


async def test_no_table_holds_a_key_in_plain(user: User, sql: Sql) -> None:
    await create_provider(user, metadata={"a": "b"})
    rows = sql("SELECT CAST(modelproviders AS text) AS whole FROM modelproviders")
    assert not [row for row in rows if KEY in row["whole"]]


@pytest.mark.parametrize("others", [{}, {"api_key": ""}, {"api_key": None}, {"api_key": "zzz"}])
@pytest.mark.parametrize("name", ["ollama", " Ollama "])
async def test_ollama_has_no_key_whatever_is_sent(
    user: User, name: str, others: dict[str, Any]
) -> None:
    answer = await user.http.post("/api/llm/model/provider", json={"name": name, **others})
    assert (good(answer)["api_key"], good(answer)["provider"]) == (None, name)
    providers = good(await user.http.get("/api/llm/model/configs"))
    assert providers[0]["api_key"] is None


@pytest.mark.parametrize("others", [{}, {"api_key": ""}, {"api_key": None}], ids=str)
async def test_every_other_provider_needs_a_key(reader: User, others: dict[str, Any]) -> None:
    answer = await reader.http.post("/api/llm/model/provider", json={"name": "p", **others})
    assert refused(answer) == "'api_key' must be specified for this provider"


@pytest.mark.parametrize("metadata", [None, {}], ids=repr)
async def test_metadata_is_always_an_object(user: User, metadata: object) -> None:
    assert (await create_provider(user, metadata=metadata))["metadata"] == {}
    providers = good(await user.http.get("/api/llm/model/configs"))
    assert [one["metadata"] for one in providers] == [{}, {}]


async def test_a_providers_name_is_taken_once_by_each_user(user: User, other_user: User) -> None:
    await create_provider(user)
    await create_provider(other_user)
    new = {"name": "openai", "api_key": KEY}
    answer = await user.http.post("/api/llm/model/provider", json=new)
    assert "openai" in refused(answer)


@pytest.mark.parametrize(
    ("new", "field"),
    [
        ({"name": None}, "name"),
        ({"name": "p", "api_key": 5}, "api_key"),
        ({"name": "p", "api_key": "a\x00"}, "api_key"),
        ({"name": "\x00", "api_key": "a"}, "name"),
        ({"name": "p", "api_key": "a", "metadata": []}, "metadata"),
        (
            {"name": "p", "api_key": "a", "metadata": {"x": {"\x00": 1}}},
            "metadata",
        ),
    ],
    ids=str,
)
async def test_what_is_wrong_with_a_provider_is_one_sentence(
    reader: User, new: dict[str, Any], field: str
) -> None:
    told(await reader.http.post("/api/llm/model/provider", json=new), field)


async def test_a_provider_without_a_name_is_a_fault(reader: User) -> None:
    answer = await reader.http.post("/api/llm/model/provider", json={})
    assert faults(answer) == [("missing", ["body", "name"])]


@pytest.mark.parametrize(
    "path", [f"{p}/{n}" for p in PREFIXES for n in ("model/config", "model_config")]
)
async def test_a_config_is_answered_with_its_provider(user: User, path: str) -> None:
    [provider] = good(await user.http.post(path, json=new_config()))
    assert_shape(provider, PROVIDER_CONFIGS)
    assert (provider["provider"], provider["api_key"]) == ("provider of config", "********")
    assert_shape(provider["configs"][0], CONFIG)


async def test_a_config_is_listed_as_it_was_answered(user: User) -> None:
    [created] = good(await user.http.post("/api/llm/model/config", json=new_config()))
    created["configs"].reverse()
    for prefix in PREFIXES:
        assert good(await user.http.get(f"{prefix}/model/configs")) == [created]


async def test_a_config_has_defaults(user: User) -> None:
    config = await create_config(user)
    del config["id"]
    assert config == {
        "name": "cfg",
        "model": "gpt",
        "system_prompt": DEFAULT_SYSTEM_PROMPT,
        "user_prompt": "",
        "temperature": 0.7,
        "max_last_messages": 5,
        "credentials": {},
    }


async def test_no_temperature_means_the_default(user: User) -> None:
    assert (await create_config(user, temperature=None))["temperature"] == 0.7


@pytest.mark.parametrize(
    ("name", "sent", "stored"),
    [
        ("temperature", "1.3", 1.3),
        ("temperature", 0, 0),
        ("temperature", 99, 99),
        ("max_last_messages", "20", 20),
        ("max_last_messages", 0, 0),
        ("system_prompt", "S", "S"),
        ("system_prompt", "", DEFAULT_SYSTEM_PROMPT),
        ("user_prompt", " U ", "U"),
        ("credentials", {"a": " é ", "b": 5, "c": {}}, {"a": "é"}),
        ("name", " padded ", "padded"),
    ],
)
async def test_a_config_keeps_what_it_is_given(
    user: User, name: str, sent: object, stored: object
) -> None:
    assert (await create_config(user, **{name: sent}))[name] == stored


@pytest.mark.parametrize(
    ("others", "field"),
    [
        ({"max_last_messages": 21}, "max_last_messages"),
        ({"max_last_messages": -1}, "max_last_messages"),
        ({"max_last_messages": "x"}, "max_last_messages"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": "nan"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"credentials": []}, "credentials"),
        ({"credentials": {"a": "\x00"}}, "credentials"),
        ({"name": None}, "name"),
        ({"system_prompt": None}, "system_prompt"),
        ({"user_prompt": None}, "user_prompt"),
        ({"max_last_messages": None}, "max_last_messages"),
        ({"credentials": None}, "credentials"),
        ({"model": "\x00"}, "model"),
        ({"system_prompt": 5}, "system_prompt"),
    ],
    ids=str,
)
async def test_what_is_wrong_with_a_config_is_one_sentence(
    reader: User, others: dict[str, Any], field: str
) -> None:
    told(await reader.http.post("/api/llm/model/config", json=new_config(**others)), field)


async def test_an_unknown_key_of_a_config_is_a_fault(reader: User) -> None:
    answer = await reader.http.post("/api/llm/model/config", json=new_config(zzz=1))
    assert faults(answer) == [("extra_forbidden", ["body", "zzz"])]


@pytest.mark.parametrize("number", ["1e999", "-1e999"])
async def test_a_temperature_beyond_all_numbers_is_refused(reader: User, number: str) -> None:
    content = f'{{"name": "a", "model": "m", "provider": "p", "temperature": {number}}}'
    answer = await reader.http.post("/api/llm/model/config", content=content.encode())
    assert len(faults(answer)) == 1


async def test_every_missing_field_of_a_config_is_named(reader: User) -> None:
    answer = await reader.http.post("/api/llm/model/config", json={})
    places = [["body", name] for name in ("name", "model", "provider")]
    assert faults(answer) == [("missing", place) for place in places]


async def test_an_unknown_provider_is_named(reader: User) -> None:
    answer = await reader.http.post("/api/llm/model/config", json=new_config(provider="nope"))
    assert refused(answer) == "Provider named nope does not exist"


async def test_a_configs_name_is_taken_once_by_each_user(user: User, other_user: User) -> None:
    await create_config(user)
    await create_config(other_user)
    answer = await user.http.post("/api/llm/model/config", json=new_config(name=" cfg"))
    assert "cfg" in refused(answer)


async def test_providers_are_listed_newest_first_and_their_configs_oldest_first(user: User) -> None:
    await create_provider(user, name="b")
    await create_provider(user, name="a")
    await create_config(user, provider="b", name="one")
    await create_config(user, provider="b", name="two")
    providers = good(await user.http.get("/api/llm/model/configs"))
    assert [one["provider"] for one in providers] == ["a", "b", "provider of config"]
    assert [[c["name"] for c in one["configs"]] for one in providers] == [
        [],
        ["one", "two"],
        ["config"],
    ]


@pytest.mark.parametrize("depth", [100, 300, 900])
@pytest.mark.parametrize("place", ["metadata", "credentials"])
async def test_deep_objects_are_taken_or_refused(user: User, place: str, depth: int) -> None:
    deep = '{"a":' * depth + "1" + "}" * depth
    others = {
        "metadata": ("provider", '"api_key": "k"'),
        "credentials": ("config", '"model": "m", "provider": "provider of config"'),
    }
    kind, more = others[place]
    content = f'{{"name": "deep", {more}, "{place}": {deep}}}'
    answer = await user.http.post(f"/api/llm/model/{kind}", content=content.encode())
    assert answer.status_code in {200, 400, 422}, answer.text


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("query", ["", "?provider=x&model=y"])
async def test_the_default_prompt_can_be_read(reader: User, prefix: str, query: str) -> None:
    answer = good(await reader.http.get(f"{prefix}/model/prompt{query}"))
    assert answer == {"system_prompt": DEFAULT_SYSTEM_PROMPT}
