"""LLM providers and model configs."""

import re
from typing import Any

from gateway.llms.prompt import DEFAULT_SYSTEM_PROMPT
from tests.contract.binding import ANY_ID, ANY_TIME, NOBODY
from tests.contract.cases import Case, load_cases
from tests.contract.differences import differ, edits, refuses, says, wherever
from tests.contract.intended.everywhere import SLASHES, is_redirect

CIPHERTEXT = re.compile(r"[\w+/]+=*(\*[\w+/=]+){3}")
OWN = "9e1fe91b-7cee-413b-84ea-b237ba47eb07"
NULLS = "Section 5, 500 where it should be 4xx: null fields of configs and providers"
TAKEN = "Section 5, 500 where it should be 4xx: names already taken, foreign configs"
KEY = "Section 2: every provider but `ollama` needs a non-empty key; section 1: forms get no 422"
STAYS = "Section 2: what is left out stays (section 5: an update without metadata empties it)"
NAMELESS = "Common sense: a chat names its config by a name, and the config its model"
DELETED = "Section 5: deleting an unknown config answers 200"
NO_KEY = refuses("'api_key' must be specified for this provider")
STRING, OBJECT = "a text", "an object"
NUMBER, INTEGER = "a number", "a whole number"


def walk(change: Any, body: Any) -> Any:
    """The body with each of its objects changed."""
    if isinstance(body, list):
        return [walk(change, item) for item in body]
    if isinstance(body, dict):
        return change({key: walk(change, value) for key, value in body.items()})
    return body


def _mask(thing: dict[str, Any]) -> dict[str, Any]:
    key = thing.get("api_key")
    masked = isinstance(key, str) and CIPHERTEXT.fullmatch(key)
    return {**thing, "api_key": "********"} if masked else thing


def _prompt(thing: dict[str, Any]) -> dict[str, Any]:
    own = str(thing.get("system_prompt", "")).startswith("You are a helpful")
    return {**thing, "system_prompt": DEFAULT_SYSTEM_PROMPT} if own else thing


def _as_object(thing: dict[str, Any]) -> dict[str, Any]:
    is_provider = "provider" in thing and not {"name", "model"} & thing.keys()
    return {**thing, "metadata": thing.get("metadata") or {}} if is_provider else thing


def changes(change: Any) -> Any:
    """Whether a change may make a difference to a case's body."""

    def applies(case: Case) -> bool:
        by_twin = is_redirect(case) and case.call.method == "GET"
        return by_twin or bool(walk(change, case.answer.body) != case.answer.body)

    return applies


def everywhere(because: str, change: Any) -> Any:
    """A difference of all bodies that hold such objects."""
    return wherever(because, changes(change), edits(lambda body: walk(change, body)))


def null(name: str, kind: str) -> Any:
    """The sentence about a field that is null."""
    return refuses(f"'{name}' must be {kind}")


def openai(**values: Any) -> dict[str, Any]:
    """The provider of A."""
    return {
        "id": "fc9f0b89-d4be-4520-909f-c4701876c142",
        "api_key": "********",
        "provider": "openai",
        "metadata": {"c": "d"},
        "created_at": ANY_TIME,
        "updated_at": ANY_TIME,
        **values,
    }


def new_config(name: str) -> dict[str, Any]:
    """A config of which only the name and the model `m` were given."""
    return {
        "id": ANY_ID,
        "name": name,
        "model": "m",
        "system_prompt": DEFAULT_SYSTEM_PROMPT,
        "user_prompt": "",
        "temperature": 0.7,
        "max_last_messages": 5,
        "credentials": {},
    }


CONFIG_OF_B = {
    "api_key": "********",
    "provider": "openai",
    "metadata": {},
    "configs": [new_config("cfg1")],
}


def _at_the_end() -> dict[str, Any]:
    """The provider of A with all configs that were not deleted, and the newest."""
    [case] = [
        case for case in load_cases("llm") if case.name == "configs: all (providers newest first)"
    ]
    [provider] = [one for one in case.answer.body if one["provider"] == "openai"]
    configs = provider["configs"][::-1]
    kept = [config for config in configs if config["id"] != OWN and config["name"]]
    masked = walk(_prompt, _mask({**provider, "metadata": {"c": "d"}, "configs": kept}))
    return {**masked, "configs": [new_config("c12"), *masked["configs"]]}


OPENAI_AT_THE_END = _at_the_end()


def _without_nameless(body: Any) -> Any:
    """The providers without the config that has no name."""
    return [
        {**provider, "configs": [config for config in provider["configs"] if config["name"]]}
        for provider in body
    ]


def _keep_metadata(body: Any) -> Any:
    kept = {
        "openai": {"c": "d"},
        "azure openai": {"endpoint": "http://127.0.0.1:1/", "api_version": "v1"},
    }
    return [
        {**provider, "metadata": kept.get(provider["provider"], provider["metadata"])}
        for provider in body
    ]


KEPT = {"user_prompt": "U2", "credentials": {"a": "b"}}


def _with_user_prompt(body: Any) -> Any:
    return {**body, "configs": [{**body["configs"][0], **KEPT}]}


def _set(**values: Any) -> Any:
    return edits(lambda body: {**body, **values})


LLM = [
    everywhere("Section 2: the API shows `********` where there is a key", _mask),
    everywhere("Section 2: write our own default prompt", _prompt),
    everywhere("Section 2: `metadata` always an object", _as_object),
    differ(
        "Section 2: the API shows null where there is no key",
        _set(api_key=None),
        "provider create: ollama, no key",
        "provider create: Ollama in other case, key is dropped",
    ),
    differ(
        KEY,
        NO_KEY,
        "provider create: no key",
        "provider create: empty key",
        "provider create: null key",
    ),
    differ(
        STAYS,
        _set(metadata={"a": "b"}),
        "provider update: the encrypted key sent back is kept",
    ),
    differ(
        STAYS,
        _set(metadata={"c": "d"}),
        "provider update: key with three asterisks",
        "provider update: masked key",
        "config get: own",
        "config get: trailing slash",
        "config get: after updates",
    ),
    differ(
        STAYS,
        _set(metadata={"endpoint": "http://127.0.0.1:1/", "api_version": "v1"}),
        "provider update: name with a space",
    ),
    differ(
        STAYS,
        edits(lambda body: [{**body[0], "metadata": {"c": "d"}}]),
        "config create: minimal",
        "config create: all fields",
        "config create: prompts empty",
        "config create: max_last_messages 0",
        "config create: temperature null",
        "config create: temperature 99",
    ),
    differ(STAYS, edits(_keep_metadata), "configs: all (providers newest first)"),
    differ(NAMELESS, refuses("'name' must not be empty"), "config create: empty name"),
    differ(NAMELESS, edits(_without_nameless), "configs: all (providers newest first)"),
    differ(
        STAYS,
        says(200, openai()),
        "provider update: only metadata (no key)",
        "provider update: empty object",
    ),
    differ(SLASHES, says(200, openai()), "provider update: trailing slash"),
    differ(KEY, NO_KEY, "provider update: empty key"),
    differ(
        NULLS,
        null("system_prompt", STRING),
        "config create: prompts null",
    ),
    differ(
        NULLS,
        null("max_last_messages", INTEGER),
        "config create: max_last_messages null",
        "config update: max_last_messages null",
    ),
    differ(
        NULLS,
        null("credentials", OBJECT),
        "config create: credentials null",
        "config update: credentials null",
    ),
    differ(NULLS, null("name", STRING), "config update: name null"),
    differ(NULLS, null("model", STRING), "config update: model null"),
    differ(NULLS, null("temperature", NUMBER), "config update: temperature null"),
    differ(TAKEN, refuses("Config 'cfg1' already exists"), "config create: duplicate name"),
    differ(TAKEN, refuses("Config 'cfg2' already exists"), "config update: name taken"),
    differ(
        TAKEN,
        refuses(f"Config with id '{OWN}' was not found"),
        "config update: other user's",
    ),
    differ(TAKEN, refuses(f"Config with id '{NOBODY}' was not found"), "config update: unknown"),
    differ(
        "Section 5: config names are unique over all users",
        says(200, [CONFIG_OF_B]),
        "config create: name taken by another user",
    ),
    differ(
        "Section 5: config names are unique over all users",
        edits(lambda _: [CONFIG_OF_B]),
        "configs: other user",
    ),
    differ(
        "Common sense, as with providers: what is left out stays",
        _set(user_prompt="U2"),
        "config update: credentials",
        "config update: max_last_messages 0",
    ),
    differ(
        "Common sense, as with providers: what is left out stays",
        _set(credentials={"a": "b"}),
        "config update: max_last_messages 0",
    ),
    differ(
        "Common sense, as with providers: what is left out stays",
        edits(_with_user_prompt),
        "config get: after updates",
    ),
    differ(
        DELETED, refuses(f"Config with id '{OWN}' was not found"), "config delete: other user's"
    ),
    differ(DELETED, refuses(f"Config with id '{OWN}' was not found"), "config delete: again"),
    differ(DELETED, refuses(f"Config with id '{NOBODY}' was not found"), "config delete: unknown"),
    differ(
        SLASHES,
        says(200, openai(id=ANY_ID, provider="ps", metadata={})),
        "provider create: trailing slash",
    ),
    differ(SLASHES, says(200, [OPENAI_AT_THE_END]), "config create: trailing slash"),
    differ(
        SLASHES,
        refuses(f"Config with id '{OWN}' was not found"),
        "config update: trailing slash",
    ),
]
