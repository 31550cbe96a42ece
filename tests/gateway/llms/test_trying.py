"""Trying a model config at its provider."""

from typing import Any
from uuid import uuid4

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.llms.trying import (
    NO_ENDPOINT,
    NO_LIST,
    NO_PLACE,
    NOT_LET_IN,
    UNSENDABLE,
    WORKS,
    WORKS_UNKNOWN,
    WORKS_UNLISTED,
    UnknownPlaceError,
    find_place,
)
from tests.gateway.llms.test_llms import KEY, create_config, create_provider
from tests.gateway.outsiders import answering, serving
from tests.gateway.shapes import good, refused
from tests.sql import Sql
from tests.users import Json, User

MODELS = {"data": [{"id": "gpt"}, {"id": "gpt-mini"}]}


def provider_of(header: str, value: str, path: str) -> Starlette:
    """A provider that lists models for who has this header, and repeats what it was shown."""

    async def list_models(request: Request) -> Response:
        if request.headers.get(header) != value:
            shown = request.headers.get("authorization", "")
            return JSONResponse({"error": {"message": f"wrong: {shown}"}}, 401)
        return JSONResponse(MODELS)

    return Starlette(routes=[Route(path, list_models)])


async def try_config(user: User, name: str, model: str = "gpt", **metadata: str) -> Json:
    """Store a provider and a config; what comes of trying it, without its times and ids."""
    await create_provider(user, name=name, metadata=metadata)
    config = await create_config(user, provider=name, name=uuid4().hex, model=model)
    path = f"/api/llm/model/config/{config['id']}/try"
    trial: Json = good(await user.http.post(path))
    assert (trial.pop("id"), trial.pop("provider"), trial.pop("model")) == (
        config["id"],
        name,
        model,
    )
    assert 0 <= trial.pop("seconds") < 10
    return trial


@pytest.mark.parametrize(
    ("model", "reason", "has_model"), [("gpt", WORKS, True), ("other", WORKS_UNLISTED, False)]
)
async def test_a_key_that_is_taken_works(
    user: User, model: str, reason: str, has_model: bool
) -> None:
    async with serving(provider_of("authorization", f"Bearer {KEY}", "/v1/models")) as there:
        trial = await try_config(user, "openai", model, base_url=f"{there.url}/v1/")
    assert trial == {"works": True, "reason": reason, "has_model": has_model}


async def test_a_key_that_is_not_taken_does_not_and_is_not_shown(user: User) -> None:
    async with serving(provider_of("authorization", "Bearer other", "/v1/models")) as there:
        trial = await try_config(user, "compatible", base_url=f"{there.url}/v1")
    assert trial == {"works": False, "reason": NOT_LET_IN, "has_model": None}


async def test_azure_is_shown_its_own_header(user: User) -> None:
    async with serving(provider_of("api-key", KEY, "/openai/models")) as there:
        trial = await try_config(user, "azure openai", endpoint=there.url, api_version="v1")
    assert trial == {"works": True, "reason": WORKS_UNKNOWN, "has_model": None}


async def test_ollama_is_asked_for_its_tags(user: User) -> None:
    tags = {"models": [{"name": "gpt:latest"}]}
    async with serving(answering(tags, path="api/tags")) as there:
        trial = await try_config(user, "ollama", base_url=there.url)
    assert trial == {"works": True, "reason": WORKS, "has_model": True}


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [
        ({"hello": 1}, 200, NO_LIST),
        (b"no JSON", 200, NO_LIST),
        ({}, 500, "It answers 500 Internal Server Error"),
        ({}, 404, "It answers 404 Not Found"),
    ],
)
async def test_what_is_no_provider_is_told_as_what_it_is(
    user: User, content: Any, status: int, reason: str
) -> None:
    async with serving(answering(content, status)) as there:
        trial = await try_config(user, "compatible", base_url=there.url)
    assert trial == {"works": False, "reason": reason, "has_model": None}


@pytest.mark.parametrize("key", ["сказка", "two\nlines"])
async def test_a_key_that_no_header_can_hold_is_not_sent(user: User, key: str) -> None:
    await create_provider(user, name="openai", api_key=key)
    config = await create_config(user, provider="openai", name="mine")
    trial = good(await user.http.post(f"/api/llm/model/config/{config['id']}/try"))
    assert (trial["works"], trial["reason"]) == (False, UNSENDABLE)


async def test_where_nobody_is_nothing_works(user: User) -> None:
    trial = await try_config(user, "compatible", base_url="http://127.0.0.1:9")
    assert (trial["works"], trial["has_model"]) == (False, None)
    assert trial["reason"].startswith("The connection to it fails")


async def test_an_address_that_is_none_is_refused(user: User) -> None:
    trial = await try_config(user, "compatible", base_url="ftp://example.com")
    assert trial["reason"] == "The URL must begin with http:// or https:// and name a host"


async def test_a_key_that_can_not_be_decrypted_is_said_to_be_one(user: User, sql: Sql) -> None:
    provider = await create_provider(user, name="openai")
    sql("UPDATE modelproviders SET api_key = 'spoilt' WHERE id = %s", provider["id"])
    config = await create_config(user, provider="openai")
    trial = good(await user.http.post(f"/api/llm/model/config/{config['id']}/try"))
    assert "can't be decrypted" in trial["reason"]


async def test_nobody_tries_another_ones_config(user: User, other_user: User) -> None:
    await create_provider(user, name="openai")
    config = await create_config(user, provider="openai")
    answer = await other_user.http.post(f"/api/llm/model/config/{config['id']}/try")
    assert refused(answer) == f"Config with id '{config['id']}' was not found"


@pytest.mark.parametrize(
    ("provider", "options", "url"),
    [
        ("openai", {}, "https://api.openai.com/v1/models"),
        (" OpenAI ", {"base_url": "https://a.example/v1/"}, "https://a.example/v1/models"),
        ("Ollama", {}, "http://127.0.0.1:11434/api/tags"),
        ("ollama", {"base_url": "http://o.example/v1"}, "http://o.example/api/tags"),
        (
            "azure openai",
            {"endpoint": "https://z.example/"},
            "https://z.example/openai/models?api-version=2024-10-21",
        ),
    ],
)
def test_each_kind_of_provider_is_asked_at_its_place(
    provider: str, options: dict[str, Any], url: str
) -> None:
    assert find_place(provider, options, "key").url == url


@pytest.mark.parametrize(
    ("provider", "options", "lack"),
    [("mine", {}, NO_PLACE), ("mine", {"base_url": 5}, NO_PLACE), ("azure", {}, NO_ENDPOINT)],
)
def test_where_no_place_is_known_it_is_said_what_is_lacking(
    provider: str, options: dict[str, Any], lack: str
) -> None:
    with pytest.raises(UnknownPlaceError, match=lack):
        find_place(provider, options, "key")
