"""Commands about API keys."""

from typing import Annotated
from uuid import UUID

import typer

from gateway.admin.options import ForUser, Json, Limit, Offset, Yes, examples, new_group
from gateway.admin.output import show_list, show_one
from gateway.admin.running import ask, confirm, run

group = new_group("API keys: whose there are, and revoking them.")


@group.command("list", epilog=examples("keys list", "keys list --user ada --json"))
def list_keys(
    user: ForUser = None, limit: Limit = 100, offset: Offset = 0, as_json: Json = False
) -> None:
    """List API keys, newest first: how each begins, what it is for, and when it came last."""
    from gateway.admin.work.keys import select_keys
    from gateway.admin.work.listing import Part

    part = Part(limit, offset)
    show_list(ask(lambda connection: select_keys(connection, user, part)), as_json=as_json)


@group.command("revoke", epilog=examples("keys revoke ID", "keys revoke ID ID --yes"))
def revoke_keys(
    ids: Annotated[list[UUID], typer.Argument(metavar="ID...", help="Those to revoke.")],
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Revoke API keys: they open nothing any more, and what they have opened is closed."""
    confirm(f"Revoke {len(ids)} API keys?", yes=yes)
    from gateway.admin.work import keys

    show_one(run(lambda on: keys.revoke_keys(on, ids)), as_json=as_json)
