"""Draws the reference of the administrators' command: `python -m tests.docs.commands`."""

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from gateway.admin.app import app
from gateway.admin.faults import MEANINGS
from tests.docs.pages import DOCS

PAGE = DOCS / "reference/commands.md"
BEGIN = "\n## Exit codes\n"


def draw() -> str:
    """The exit codes, and each command with what it takes."""
    return "\n".join([BEGIN, *_draw_codes(), *_draw_commands(get_command(app), ())])


def _draw_codes() -> Iterator[str]:
    yield "| code | meaning |"
    yield "| --- | --- |"
    yield from (f"| {code.value} | {meaning} |" for code, meaning in MEANINGS.items())


def _draw_commands(command: Any, names: tuple[str, ...]) -> Iterator[str]:
    if not hasattr(command, "commands"):
        yield from _draw_command(command, names)
        return
    if names:
        yield from ("", f"## {' '.join(names)}", "", command.help)
    commands: dict[str, Any] = command.commands
    for name, each in commands.items():
        yield from _draw_commands(each, (*names, name))


def _draw_command(command: Any, names: tuple[str, ...]) -> Iterator[str]:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    taken = [each.metavar for each in arguments]
    yield from ("", f"{'##' if len(names) == 1 else '###'} {' '.join((*names, *taken))}", "")
    yield command.help
    yield ""
    yield from (f"- `{each.metavar}`: {each.help}" for each in arguments)
    yield from (f"- {_named(each)}: {each.help}{_default(each)}" for each in options)
    yield from ("", "```sh", *command.epilog.split("\n\n")[1:], "```")


def _named(option: Any) -> str:
    return ", ".join(f"`{name}`" for name in option.opts)


def _default(option: Any) -> str:
    is_told = option.default is not None and not option.is_flag
    return f" By default {option.default}." if is_told else ""


def replace_reference(page: str) -> str:
    """The page with the commands of now. Raises ValueError for one that has no place for them."""
    head, begin, _ = page.partition(BEGIN)
    if not begin:
        raise ValueError("the page must have the heading of the exit codes")
    return head + draw() + "\n"


if __name__ == "__main__":
    PAGE.write_text(replace_reference(PAGE.read_text()))
