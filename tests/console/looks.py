"""What is asked of each page's looks: screens of some sizes, and axe for who can't see it."""

from typing import Any

from tests.console.people import Person
from tests.system import PROJECT

SIZES = {"a telephone": (360, 740), "a laptop": (1280, 800), "4K": (3840, 2160)}
_AXE = PROJECT / "tests/node/node_modules/axe-core/axe.min.js"
_FAULTS = """
    async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
        .filter((each) => ["serious", "critical"].includes(each.impact))
        .map((each) => [each.id, each.help, each.nodes.map((node) => node.html)])
"""


async def find_faults(person: Person) -> list[Any]:
    """What axe finds serious or worse in a page that was opened with `bypass_csp`."""
    if not await person.page.evaluate("'axe' in window"):
        await person.page.add_script_tag(path=_AXE)
    found: list[Any] = await person.page.evaluate(_FAULTS)
    return found
