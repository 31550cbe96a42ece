"""Whatever is typed into a form is taken, or refused by one sentence: a list is a white page."""

import json
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from attrs import frozen

from tests.gateway.shapes import refused
from tests.users import PASSWORD, Json, User

PROVIDER = "provider of config"
SURROGATE = "\ud83d"
WRONG_TYPES: tuple[object, ...] = (5, [], {"a": 1}, True)


@frozen
class Form:
    """Where it is sent, what is sent, and the most characters of each field that is typed."""

    method: str
    path: str
    body: Json
    limits: dict[str, int]


ID = str(uuid4())
MEMBERS = [{"id": ID, "type": "genai"}] * 2
CONFIG = {
    "name": "m",
    "model": "gpt",
    "system_prompt": "S",
    "user_prompt": "",
    "temperature": "0.7",
    "max_last_messages": 5,
    "credentials": {},
}
CONFIG_LIMITS = {"name": 255, "model": 255, "system_prompt": 65_536, "user_prompt": 65_536}
FORMS = {
    "sign-up": Form(
        "POST",
        "/api/register",
        {"username": "u", "password": PASSWORD},
        {"username": 255, "password": 1024},
    ),
    "provider": Form(
        "POST",
        "/api/llm/model/provider",
        {"name": "openai", "api_key": "k", "metadata": {}},
        {"name": 255, "api_key": 4096},
    ),
    "change of a provider": Form(
        "PATCH",
        f"/api/llm/model/providers/{PROVIDER}",
        {"api_key": "k", "metadata": {}},
        {"api_key": 4096},
    ),
    "config": Form(
        "POST", "/api/llm/model/config", {**CONFIG, "provider": PROVIDER}, CONFIG_LIMITS
    ),
    "change of a config": Form("PATCH", f"/api/llm/model/config/{ID}", CONFIG, CONFIG_LIMITS),
    "flow": Form(
        "POST",
        "/api/agentflows/register",
        {"name": "f", "description": "d", "flow": MEMBERS},
        {"name": 55, "description": 65_536},
    ),
    "change of a flow": Form(
        "PATCH",
        f"/api/agentflows/{ID}",
        {"name": "f", "description": "d", "flow": MEMBERS},
        {"name": 55, "description": 65_536},
    ),
    "agent": Form(
        "POST",
        "/api/agents/register",
        {"name": "a", "description": "d", "input_parameters": {}},
        {"name": 55, "description": 65_536},
    ),
    "change of an agent": Form(
        "PATCH",
        f"/api/agents/{ID}",
        {"name": "a", "description": "d", "input_parameters": {}},
        {"name": 55, "description": 65_536},
    ),
    "chat": Form("PATCH", f"/api/chat?session_id={ID}", {"title": "t"}, {"title": 20}),
    "MCP server": Form("POST", "/api/mcp/servers", {"server_url": "u"}, {"server_url": 2048}),
    "A2A agent": Form("POST", "/api/a2a/agents", {"server_url": "u"}, {"server_url": 2048}),
    "profile": Form(
        "PATCH",
        "/api/profiles/{user_id}",
        {"first_name": "a", "last_name": "b"},
        {"first_name": 255, "last_name": 255},
    ),
}
FIELDS = [(form, field) for form, said in FORMS.items() for field in said.body]
TYPED = [(form, field) for form, said in FORMS.items() for field in said.limits]
OTHERS = [each for each in FIELDS if each not in TYPED]
MUST_BE_SEEN = [
    ("sign-up", "password"),
    ("provider", "api_key"),
    ("change of a provider", "api_key"),
    *((form, field) for form in ("config", "change of a config") for field in ("name", "model")),
    *((form, field) for form in ("flow", "change of a flow") for field in ("name", "description")),
    ("chat", "title"),
]


async def send(user: User, form: Form, **values: object) -> httpx2.Response:
    """Send it as browsers do: half a surrogate pair is written as an escape."""
    content = json.dumps({**form.body, **values})
    path = form.path.format(user_id=user.id)
    headers = {"Content-Type": "application/json"}
    return await user.http.request(form.method, path, content=content, headers=headers)


def names(sentence: str, field: str) -> bool:
    """Whether somebody who reads it knows which field is meant."""
    return field.rpartition("_")[2] in sentence.lower()


@pytest.mark.parametrize(("form", "field"), TYPED)
async def test_the_sentence_about_a_long_text_names_field_and_limit(
    user: User, form: str, field: str
) -> None:
    limit = FORMS[form].limits[field]
    sentence = refused(await send(user, FORMS[form], **{field: "x" * (limit + 1)}))
    assert names(sentence, field)
    assert f" {limit:,} " in sentence


@pytest.mark.parametrize(("form", "field"), TYPED)
async def test_a_text_of_300_kb_is_refused_by_a_sentence(user: User, form: str, field: str) -> None:
    assert names(refused(await send(user, FORMS[form], **{field: "é" * 150_000})), field)


@pytest.mark.parametrize(("form", "field"), FIELDS)
@pytest.mark.parametrize("broken", ["\0", "a\0b", SURROGATE, f"a{SURROGATE}b"], ids=ascii)
async def test_a_text_that_cant_be_stored_is_refused_by_a_sentence(
    user: User, form: str, field: str, broken: str
) -> None:
    for value in (broken, {"a": broken}, [broken]):
        assert names(refused(await send(user, FORMS[form], **{field: value})), field)


@pytest.mark.parametrize(("form", "field"), TYPED)
@pytest.mark.parametrize("value", WRONG_TYPES, ids=repr)
async def test_what_is_no_text_is_refused_by_a_sentence(
    user: User, form: str, field: str, value: object
) -> None:
    assert names(refused(await send(user, FORMS[form], **{field: value})), field)


@pytest.mark.parametrize(("form", "field"), OTHERS)
@pytest.mark.parametrize("value", ["", "x", "1e999", [1], True], ids=repr)
async def test_another_value_is_taken_or_refused_by_a_sentence(
    user: User, form: str, field: str, value: object
) -> None:
    answer = await send(user, FORMS[form], **{field: value})
    assert answer.status_code == 200 or refused(answer)


@pytest.mark.parametrize(("form", "field"), FIELDS)
@pytest.mark.parametrize("value", ["", "   ", "\u200b", "\r\n", None], ids=ascii)
async def test_nothing_in_place_of_a_value_is_taken_or_refused_by_a_sentence(
    user: User, form: str, field: str, value: str | None
) -> None:
    answer = await send(user, FORMS[form], **{field: value})
    assert answer.status_code == 200 or refused(answer)


@pytest.mark.parametrize(("form", "field"), MUST_BE_SEEN)
@pytest.mark.parametrize("value", ["", "   ", "\t"], ids=repr)
async def test_what_must_be_seen_is_not_blank(
    user: User, form: str, field: str, value: str
) -> None:
    assert names(refused(await send(user, FORMS[form], **{field: value})), field)


@pytest.mark.parametrize("key", ["", "   ", "\n"], ids=repr)
async def test_blanks_replace_no_key(user: User, key: str) -> None:
    form = FORMS["change of a provider"]
    refused(await send(user, form, api_key=key))
    [provider] = (await user.http.get("/api/llm/model/configs")).json()
    assert provider["api_key"] == "********"


@pytest.mark.parametrize("shown", ["********", " ********\n"], ids=repr)
async def test_the_key_that_was_shown_may_be_sent_back(user: User, shown: str) -> None:
    answer = await send(user, FORMS["change of a provider"], api_key=shown, metadata={"a": "b"})
    assert answer.json()["metadata"] == {"a": "b"}


async def test_blanks_in_place_of_a_system_prompt_are_the_default_one(user: User) -> None:
    default = (await user.http.get("/api/llm/model/prompt")).json()["system_prompt"]
    new = await send(user, FORMS["config"], system_prompt=" \n ")
    [provider] = new.json()
    assert default in [config["system_prompt"] for config in provider["configs"]]


async def test_a_password_that_is_eight_characters_only_for_a_browser_is_one_sentence(
    user: User,
) -> None:
    assert "8 characters" in refused(await send(user, FORMS["sign-up"], password="Aa1!😀😀"))


async def test_a_name_in_the_path_is_one_sentence(user: User) -> None:
    path = "/api/llm/model/providers/a%00b"
    assert "NUL" in refused(await user.http.patch(path, json={"api_key": "k"}))


async def test_a_fault_that_no_form_makes_tells_all_faults(user: User) -> None:
    body = {"name": "x" * 256, "model": 5}
    answer = await user.http.post("/api/llm/model/config", json=body)
    assert answer.status_code == 422
    assert {fault["type"] for fault in answer.json()["detail"]} == {
        "too_long",
        "string_type",
        "missing",
    }


@pytest.mark.parametrize("content", [b'{"title": "\\ud800"', b'"\\udc00"', b'["\\ud800"'])
async def test_half_a_surrogate_pair_in_what_is_no_object_is_a_fault(
    user: User, content: bytes
) -> None:
    answer = await user.http.patch(f"/api/chat?session_id={ID}", content=content)
    assert answer.status_code == 422, answer.text


async def test_a_whole_surrogate_pair_is_a_character(user: User) -> None:
    new = json.dumps({"session_id": str(uuid4()), "title": "😀" * 20})
    answer = await user.http.post("/api/chats", content=new)
    assert answer.json()["title"] == "😀" * 20


async def test_the_sentence_about_a_large_body_says_mb(user: User) -> None:
    answer = await send(user, FORMS["flow"], description="x" * (1 << 20))
    assert (answer.status_code, answer.json()) == (
        413,
        {"detail": "What is sent must not be larger than 1 MB"},
    )


async def test_a_file_with_a_long_name_is_one_sentence(user: User) -> None:
    answer = await user.http.post("/files", files={"file": ("n" * 256, b"x")})
    assert "255 characters" in refused(answer)


async def test_the_details_of_an_agent_are_bounded_in_kb(user: User) -> None:
    agent = await user.register_agent()
    large: Any = {"name": "a", "description": "d", "input_parameters": {"a": "x" * 70_000}}
    for method, path in (("POST", "register"), ("PATCH", agent["id"])):
        answer = await user.http.request(method, f"/api/agents/{path}", json=large)
        assert "64 KB" in refused(answer)
