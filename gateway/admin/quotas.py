"""Commands about how much users have of what they may have."""

from typing import Annotated

import typer

from gateway.admin.options import Json, Limit, Offset, OfUser, examples, new_group
from gateway.admin.output import show_list
from gateway.admin.running import run

group = new_group("How near users are to their bounds.")


@group.command("list", epilog=examples("quotas list", "quotas list --percent 100 --json"))
def list_near(
    percent: Annotated[
        float, typer.Option(min=0, help="Of a bound, that a user must have reached.")
    ] = 80.0,
    limit: Limit = 100,
    offset: Offset = 0,
    as_json: Json = False,
) -> None:
    """List who is near a bound, or beyond it, the nearest first."""
    from gateway.admin.work.listing import Part
    from gateway.admin.work.quotas import select_near

    part = Part(limit, offset)
    show_list(run(lambda on: select_near(on, percent, part)), as_json=as_json)


@group.command("show", epilog=examples("quotas show ada"))
def show_quotas(user: OfUser, as_json: Json = False) -> None:
    """Show what a user has of each kind that is bounded."""
    from gateway.admin.work.quotas import select_uses

    show_list(run(lambda on: select_uses(on, user)), as_json=as_json)
