"""What a request says in place of its model config."""

from typing import Any

import pytest

from tests.asked import ask
from tests.master import Master
from tests.system import System
from tests.users import Json, User


async def _given(system: System, user: User, master: Master, overrides: Json | None) -> Json:
    await ask(system, user, overrides=overrides)
    given: Json = master.invocations[-1].payload["configs"]["llm"]
    return given


@pytest.mark.parametrize(
    "overrides",
    [
        {"temperature": 0},
        {"system_prompt": "be brief"},
        {"temperature": 1.5, "system_prompt": ""},
        {"temperature": None, "system_prompt": None},
        {},
    ],
    ids=repr,
)
async def test_what_a_request_overrides_holds_for_it_alone(
    system: System, user: User, master: Master, overrides: dict[str, Any]
) -> None:
    before = await _given(system, user, master, None)
    stated = {name: value for name, value in overrides.items() if value is not None}
    assert await _given(system, user, master, overrides) == {**before, **stated}
    assert await _given(system, user, master, None) == before


async def test_nothing_else_is_overridden(system: System, user: User, master: Master) -> None:
    before = await _given(system, user, master, None)
    others = {"api_key": "sk-mine", "model": "mine", "base_url": "http://localhost"}
    assert await _given(system, user, master, others) == before


@pytest.mark.parametrize("own", [None, "", "Be brief."])
async def test_the_context_of_a_request_follows_its_prompt(
    system: System, user: User, master: Master, own: str | None
) -> None:
    before = (await _given(system, user, master, {"system_prompt": own}))["system_prompt"]
    overrides = {"system_prompt": own, "context": "Page: settings"}
    given = await _given(system, user, master, overrides)
    assert given["system_prompt"] == "\n\n".join(filter(None, [before, "Page: settings"]))
