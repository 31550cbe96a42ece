"""Commands about what users and groups may spend in a month."""

from typing import Annotated
from uuid import UUID

import typer

from gateway.admin.options import Json, Limit, Offset, OfUser, Yes, examples, new_group
from gateway.admin.output import show_list, show_one
from gateway.admin.running import confirm, run

group = new_group("What users may spend in a month, and have spent.")


def _read_usd(text: str) -> float:
    from shared.settings.readers import money

    return money(text)


@group.command("list", epilog=examples("budgets list", "budgets list --percent 80 --json"))
def list_budgets(
    percent: Annotated[
        float, typer.Option(min=0, help="Of a budget, that a user must have spent.")
    ] = 0.0,
    limit: Limit = 100,
    offset: Offset = 0,
    as_json: Json = False,
) -> None:
    """List who has spent something this month or has a budget of his own, the nearest first."""
    from gateway.admin.work.budgets import select_budgets
    from gateway.admin.work.listing import Part

    part = Part(limit, offset)
    show_list(run(lambda on: select_budgets(on, percent, part)), as_json=as_json)


@group.command("show", epilog=examples("budgets show ada"))
def show_budget(user: OfUser, as_json: Json = False) -> None:
    """Show what a user may spend this month, and has spent."""
    from gateway.admin.work.budgets import read_budget

    show_one(run(lambda on: read_budget(on, user)), as_json=as_json)


@group.command("set", epilog=examples("budgets set ada 20", "budgets set ada 0 --yes"))
def set_budget(
    user: OfUser,
    usd: Annotated[
        float,
        typer.Argument(metavar="USD", parser=_read_usd, help="For a month; 0 is no bound."),
    ],
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Give a user a budget in place of MONTHLY_BUDGET."""
    confirm(f"Let {user} spend {f'{usd} USD a month' if usd else 'without a bound'}?", yes=yes)
    from gateway.admin.work import budgets

    show_one(run(lambda on: budgets.set_budget(on, user, usd)), as_json=as_json)


@group.command("set-group", epilog=examples("budgets set-group ID 100", "budgets set-group ID 0"))
def set_group_budget(
    group_id: Annotated[UUID, typer.Argument(metavar="ID", help="Of the group.")],
    usd: Annotated[
        float,
        typer.Argument(metavar="USD", parser=_read_usd, help="For a month; 0 is no bound."),
    ],
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Give a group a budget, which its members spend together."""
    may = f"{usd} USD a month" if usd else "without a bound"
    confirm(f"Let the members of group {group_id} spend {may} together?", yes=yes)
    from gateway.admin.work import budgets

    show_one(run(lambda on: budgets.set_group_budget(on, group_id, usd)), as_json=as_json)


@group.command("groups", epilog=examples("budgets groups --json"))
def list_group_budgets(limit: Limit = 100, offset: Offset = 0, as_json: Json = False) -> None:
    """List groups that have a budget, and what their members have spent of it together."""
    from gateway.admin.work.budgets import select_group_budgets
    from gateway.admin.work.listing import Part

    part = Part(limit, offset)
    show_list(run(lambda on: select_group_budgets(on, part)), as_json=as_json)


@group.command("clear", epilog=examples("budgets clear ada"))
def clear_budget(user: OfUser, yes: Yes = False, as_json: Json = False) -> None:
    """Let MONTHLY_BUDGET hold for a user again."""
    confirm(f"Let {user} spend what everybody may?", yes=yes)
    from gateway.admin.work import budgets

    show_one(run(lambda on: budgets.clear_budget(on, user)), as_json=as_json)
