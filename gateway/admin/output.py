"""What commands print: results on stdout, for people or as JSON, and all else on stderr."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    import attrs

    from gateway.admin.work.listing import Listed

TELL_SECONDS = 2.0
WIDE = 100_000  # columns of what is no terminal: lines are never broken there


def tell(text: str) -> None:
    """Say something that is no result."""
    typer.echo(text, err=True)


class Progress:
    """Says how far long work is, now and then."""

    def __init__(self) -> None:
        self._told = monotonic()

    def __call__(self, text: str) -> None:
        """Say it, unless something was said a moment ago."""
        if monotonic() - self._told >= TELL_SECONDS:
            self._told = monotonic()
            tell(text)


def show_one(thing: "attrs.AttrsInstance", *, as_json: bool) -> None:
    """Print a thing: its fields, or one document."""
    if as_json:
        _print_json(thing)
        return
    import attrs

    fields = attrs.asdict(thing, recurse=False)
    _print_table([], [[_titled(name), _shown(value)] for name, value in fields.items()])


def show_list[T: attrs.AttrsInstance](listed: "Listed[T]", *, as_json: bool) -> None:
    """Print things: a table, or a JSON line for each; what follows is told on stderr."""
    if as_json:
        for thing in listed.things:
            _print_json(thing)
    elif listed.things:
        import attrs

        rows = [attrs.asdict(thing, recurse=False) for thing in listed.things]
        titles = [_titled(name) for name in rows[0]]
        _print_table(titles, [[*map(_shown, row.values())] for row in rows])
    else:
        tell("There are none.")
    if listed.next_offset is not None:
        tell(f"There are more: --offset {listed.next_offset}")


def printable(text: str) -> str:
    """The text without what a terminal would obey: users write what is shown here."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def _print_json(thing: object) -> None:
    from shared.codec.converter import dump

    typer.echo(dump(thing).decode())


def _titled(name: str) -> str:
    return name.removeprefix("is_").replace("_", " ")


def _shown(value: Any) -> str:
    """A value as people read it."""
    match value:
        case bool():
            text = "yes" if value else "no"
        case datetime():
            aware = value if value.tzinfo else value.replace(tzinfo=UTC)
            text = f"{aware.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
        case float():
            text = f"{value:,.1f}"
        case int():
            text = f"{value:,}"
        case Mapping():
            text = "\n".join(f"{_shown(each)} {printable(key)}" for key, each in value.items())
        case list():
            text = "\n".join(map(_shown, value))
        case _:
            text = "" if value is None else printable(str(value))
    return text or "-"


def _print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDE)
    table = Table(box=None, pad_edge=False, show_header=bool(titles), header_style="bold")
    for title in titles or ("", ""):
        table.add_column(title, overflow="fold", style="" if titles else None)
    for row in rows:
        table.add_row(*map(Text, row))
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        typer.echo(line.rstrip())
