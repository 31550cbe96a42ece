"""The keys of the contract's answers, as recorded of the original, and checks of their values."""

import re
from typing import Any
from uuid import UUID

import httpx2

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}")

REGISTERED_USER = {"id", "username", "created_at", "updated_at"}
TOKENS = {"access_token", "refresh_token", "token_type"}
REGISTERED_AGENT = {
    "id",
    "name",
    "description",
    "input_parameters",
    "created_at",
    "updated_at",
    "alias",
    "jwt",
}
AGENT = {
    "agent_id",
    "agent_name",
    "agent_description",
    "agent_schema",
    "created_at",
    "updated_at",
    "is_active",
    "agent_jwt",
    "agent_alias",
}
ACTIVE_AGENT = {"id", "name", "type", "agent_schema", "created_at", "updated_at", "is_active"}
CHAT = {"session_id", "title", "created_at", "updated_at"}
CREATED_CHAT = CHAT | {"creator_id"}
HISTORY = {"total_count", "next_page", "previous_page", "items"}
HISTORY_ITEM = {"sender_type", "content", "request_id", "created_at"}
LOG = {
    "session_id",
    "request_id",
    "log_level",
    "message",
    "creator_id",
    "agent_id",
    "created_at",
    "updated_at",
}
PROVIDER = {"id", "api_key", "provider", "metadata", "created_at", "updated_at"}
PROVIDER_CONFIGS = {"api_key", "provider", "configs", "metadata"}
CONFIG = {
    "id",
    "name",
    "model",
    "system_prompt",
    "temperature",
    "credentials",
    "user_prompt",
    "max_last_messages",
}


def assert_shape(body: dict[str, Any], keys: set[str]) -> None:
    """Exactly these keys; ids in lower case, times naive with six digits."""
    assert body.keys() == keys
    for key in keys & {"id", "session_id", "agent_id", "creator_id", "request_id"}:
        assert body[key] is None or body[key] == str(UUID(body[key])), key
    for key in keys & {"created_at", "updated_at"}:
        assert TIME.fullmatch(body[key]), key


def good(answer: httpx2.Response) -> Any:
    """The JSON of a 200."""
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer: httpx2.Response) -> str:
    """The sentence of a 400."""
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert body.keys() == {"detail"}
    assert isinstance(body["detail"], str)
    return str(body["detail"])


def denied(answer: httpx2.Response, error: str = "invalid_grant") -> str:
    """The sentence of a 400 at a login, which is told to clients of OAuth 2 too."""
    assert answer.status_code == 400, answer.text
    sentence: str = answer.json()["detail"]
    assert answer.json() == {"detail": sentence, "error": error, "error_description": sentence}
    return sentence


def told(answer: httpx2.Response, field: str) -> str:
    """The sentence of a 400 about what was typed into a field."""
    sentence = refused(answer)
    assert field in sentence, sentence
    return sentence


def faults(answer: httpx2.Response) -> list[tuple[str, list[Any]]]:
    """Type and place of each fault of a 422."""
    assert answer.status_code == 422, answer.text
    body = answer.json()
    assert body.keys() == {"detail"}
    for fault in body["detail"]:
        assert fault.keys() == {"type", "loc", "msg", "input"}
        assert isinstance(fault["msg"], str)
    return [(fault["type"], fault["loc"]) for fault in body["detail"]]
