"""Options that many commands have, and how examples are told."""

from typing import Annotated

import typer

MOST = 1000  # things of a list

Json = Annotated[bool, typer.Option("--json", help="Print JSON; of a list, a line for each.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask whether it is meant.")]
Limit = Annotated[int, typer.Option(min=1, max=MOST, help="How many at most.")]
Offset = Annotated[int, typer.Option(min=0, help="How many to leave out first.")]
OfUser = Annotated[str, typer.Argument(metavar="USER", help="The user's name or id.")]
ForUser = Annotated[
    str | None, typer.Option("--user", metavar="USER", help="Only of this user, by name or id.")
]

PROGRAM = "python -m gateway.admin"


def new_group(help_: str) -> typer.Typer:
    """The commands of a noun."""
    return typer.Typer(help=help_, no_args_is_help=True)


def examples(*lines: str) -> str:
    """What stands under the help of a command."""
    return "\n\n".join(["Examples:", *(f"{PROGRAM} {line}" for line in lines)])
