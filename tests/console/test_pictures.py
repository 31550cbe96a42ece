"""The pictures in the documentation: `make pictures` takes them anew, by this test."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, ViewportSize, expect

from tests.agent_bridge.stored import execute
from tests.console.chats import ask
from tests.console.people import Person, opening
from tests.end_to_end.doors.visitors import REGISTER, until_active, visiting
from tests.master import Invocation, answer, run_master
from tests.system import PROJECT, System
from tests.users import User, register_user

PICTURES = PROJECT / "docs/pictures"
SCREEN: ViewportSize = {"width": 1280, "height": 800}
HEADING = b"\x89PNG\r\n\x1a\n"
FORECAST: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "Where"},
        "days": {"type": "integer", "description": "How many of them", "default": 3},
        "unit": {"enum": ["metric", "imperial"], "description": "Of all figures"},
    },
    "required": ["city"],
}
TEXT = """\
It will be **sunny and mild** in Kyiv, with a light wind:

| day | high | rain |
| --- | ---: | ---: |
| Monday | 14 °C | 5 % |
| Tuesday | 16 °C | 0 % |
| Wednesday | 11 °C | 40 % |

Take an umbrella on Wednesday."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the pictures go: to the documentation if that is wanted."""
    return PICTURES if os.environ.get("TAKE_PICTURES") else tmp_path


@pytest.fixture
async def ada(door_system: System) -> AsyncIterator[User]:
    """An administrator who has a model."""
    execute(door_system, "DELETE FROM users WHERE username = 'ada'")
    async with register_user(door_system.gateway, "ada") as user:
        await user.create_config("standard")
        execute(door_system, "UPDATE users SET role = 'admin' WHERE id = %s", user.id)
        yield user


@asynccontextmanager
async def connected(system: System, user: User) -> AsyncIterator[str]:
    """The id of an agent that tells the weather, while it is connected."""
    registered = await user.register_agent("weather_forecast", "Tells how the weather will be")
    async with visiting(system.agents_url, X_Custom_Authorization=registered["jwt"]) as visitor:
        said = {
            "agent_name": registered["name"],
            "agent_description": registered["description"],
            "agent_input_schema": FORECAST,
        }
        await visitor.say({**REGISTER, "request_payload": said})
        await until_active(user, registered["id"], is_active=True)
        yield registered["id"]


async def forecast(invocation: Invocation) -> Any:
    """What a master agent does with the help of two agents."""
    await invocation.log("Asking weather_forecast about Kyiv")
    await invocation.log("Asking summary for a short text")

    def step(name: str, seconds: float, output: str) -> dict[str, Any]:
        return {"name": name, "execution_time": seconds, "is_success": True, "output": output}

    trace = [
        step("weather_forecast", 1.4, "14 °C, 16 °C, 11 °C"),
        step("summary", 0.6, "sunny and mild"),
    ]
    return {**answer(TEXT), "agents_trace": trace}


async def test_what_the_documentation_shows_can_be_seen(
    browser: Browser, door_system: System, ada: User, folder: Path
) -> None:
    system = door_system

    async def take(person: Person, name: str) -> None:
        await person.see_view()
        await person.page.screenshot(path=folder / f"{name}.png")

    async with (
        run_master(system.router_url, forecast, door_url=system.agents_url),
        connected(system, ada) as agent_id,
        opening(browser, system.gateway, ada, "chat", viewport=SCREEN) as person,
    ):
        await ask(person, "How will the weather be in Kyiv?")
        await person.see("Take an umbrella")
        for name in ("2 steps", "Log"):
            await person.page.get_by_text(name, exact=True).click()
        await take(person, "chat")
        await person.open("requests")
        await person.page.get_by_role("link", name="How will").first.click()
        await expect(person.page.locator(".requests-steps")).to_contain_text("Answered")
        await take(person, "request")
        await person.open(f"agents/{agent_id}?tab=ask")
        await take(person, "agent")
        await person.open("parts")
        await expect(person.page.get_by_text("Running", exact=True)).to_have_count(3)
        await take(person, "system")
    _compare(folder)


def _compare(folder: Path) -> None:
    taken = {file.name: file.read_bytes() for file in folder.glob("*.png")}
    assert taken.keys() == {file.name for file in PICTURES.glob("*.png")}
    for picture in taken.values():
        assert picture.startswith(HEADING)
        assert int.from_bytes(picture[16:20]) == SCREEN["width"]
