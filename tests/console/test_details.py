"""Pages of one agent, flow and request, with all that they show: on small screens, and for axe."""

from typing import Literal

import pytest

from tests.asked import agent_that, create_flow, saying
from tests.console.looks import SIZES, find_faults
from tests.console.people import OpenConsole
from tests.gateway.shapes import good
from tests.system import System
from tests.users import Json, User

NESTED: Json = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "description": "What it is about"},
        "stops": {"type": "array", "items": {"type": "object", "properties": {"at": {}}}},
        "place": {"type": "object", "properties": {"exact": {"type": "boolean"}}},
    },
    "required": ["text"],
}
# What scrolls is the view, not the page.
HIDDEN = (
    "(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('#view'))"
)


@pytest.mark.parametrize("colours", ["light", "dark"])
async def test_they_fit_each_screen_and_axe_finds_nothing_serious(
    open_console: OpenConsole, user: User, system: System, colours: Literal["light", "dark"]
) -> None:
    async with agent_that(system, user, saying(str.upper), NESTED) as (_, agent):
        agent_id = agent["id"]
        flow_id = await create_flow(user, agent_id, agent_id)
        url = f"/api/agents/{agent_id}/invoke"
        asked = good(await user.http.post(url, json={"message": "word" * 100}))
        views = [f"agents/{agent_id}?tab={tab}" for tab in ("overview", "ask", "requests", "log")]
        views += ["agents/new", f"flows/{flow_id}", "flows/new", f"requests/{asked['request_id']}"]
        options: Json = {"color_scheme": colours, "bypass_csp": True}
        async with open_console(user, "agents", **options) as person:
            for view in views:
                await person.open(view)
                await person.see_view()
                for size, (width, height) in SIZES.items():
                    await person.page.set_viewport_size({"width": width, "height": height})
                    assert await person.page.evaluate(HIDDEN) == 0, (view, size)
                assert await find_faults(person) == [], view
