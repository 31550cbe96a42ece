"""Commands about what users may spend in a month."""

from typing import Annotated

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


@group.command("clear", epilog=examples("budgets clear ada"))
def clear_budget(user: OfUser, yes: Yes = False, as_json: Json = False) -> None:
    """Let MONTHLY_BUDGET hold for a user again."""
    confirm(f"Let {user} spend what everybody may?", yes=yes)
    from gateway.admin.work import budgets

    show_one(run(lambda on: budgets.clear_budget(on, user)), as_json=as_json)
