"""Draws which room imports which, from the imports themselves: `python -m tests.docs.drawing`."""

import re
from collections.abc import Iterator

import grimp

from tests.docs.pages import DOCS

PAGE = DOCS / "explanation/packages.md"
PACKAGES = ("gateway", "agent_bridge", "shared")
STATE = "gateway.state"  # names what each resource keeps in it, and is imported by them
_drawing = re.compile(r"^```mermaid\n.*?^```$", re.MULTILINE | re.DOTALL)


def build_rooms() -> grimp.ImportGraph:
    """The imports between the packages and modules that stand directly in the services' own."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    for package in PACKAGES:
        for room in graph.find_children(package):
            graph.squash_module(room)
    for imported in graph.find_modules_directly_imported_by(STATE):
        if imported.startswith("gateway."):
            graph.remove_import(importer=STATE, imported=imported)
    return graph


def find_arrows(graph: grimp.ImportGraph) -> list[tuple[str, str]]:
    """Who imports whom; left out where it follows from others, as who imports him does too."""
    return sorted(
        (room, imported)
        for package in PACKAGES
        for room in graph.find_children(package)
        for imported in _nearest(graph, room)
    )


def _nearest(graph: grimp.ImportGraph, room: str) -> set[str]:
    direct = graph.find_modules_directly_imported_by(room)
    return direct.difference(*(graph.find_upstream_modules(each) for each in direct))


def draw() -> str:
    """The drawing in Mermaid's language, fenced."""
    return "\n".join(["```mermaid", "flowchart TD", *_draw_lines(build_rooms()), "```"])


def _draw_lines(graph: grimp.ImportGraph) -> Iterator[str]:
    arrows = [arrow for arrow in find_arrows(graph) if not arrow[0].endswith("__main__")]
    rooms = sorted({room for arrow in arrows for room in arrow})
    for package in PACKAGES:
        yield f"    subgraph {package}"
        for room in rooms:
            if room.startswith(f"{package}."):
                yield f"        {room}[{room.removeprefix(f'{package}.')}]"
        yield "    end"
    yield from (f"    {room} --> {imported}" for room, imported in arrows)


def replace_drawing(page: str) -> str:
    """The page with the drawing of now. Raises ValueError for one that has no place for it."""
    if len(_drawing.findall(page)) != 1:
        raise ValueError("the page must have one drawing")
    return _drawing.sub(lambda _: draw(), page)


if __name__ == "__main__":
    PAGE.write_text(replace_drawing(PAGE.read_text()))
