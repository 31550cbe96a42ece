"""Commands about sign-ins."""

from typing import Annotated
from uuid import UUID

import typer

from gateway.admin.options import ForUser, Json, Limit, Offset, Yes, examples, new_group
from gateway.admin.output import show_list, show_one
from gateway.admin.running import ask, confirm, run

group = new_group("Sign-ins: who is signed in, where and since when.")


@group.command("list", epilog=examples("sessions list", "sessions list --user ada --json"))
def list_sign_ins(
    user: ForUser = None, limit: Limit = 100, offset: Offset = 0, as_json: Json = False
) -> None:
    """List sign-ins that go on, the one that was used last first."""
    from gateway.admin.work.access import select_sign_ins
    from gateway.admin.work.listing import Part

    part = Part(limit, offset)
    show_list(ask(lambda connection: select_sign_ins(connection, user, part)), as_json=as_json)


@group.command("end", epilog=examples("sessions end ID", "sessions end --user ada --yes"))
def end_sign_ins(
    ids: Annotated[
        list[UUID] | None, typer.Argument(metavar="[ID]...", help="Those to end.")
    ] = None,
    user: Annotated[
        str | None, typer.Option(metavar="USER", help="End all of this user's, by name or id.")
    ] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """End sign-ins: their tokens open nothing any more, their sockets are closed."""
    if bool(ids) == bool(user):
        raise typer.BadParameter("name either sign-ins or a user")
    confirm(f"End {f'all sign-ins of {user}' if user else f'{len(ids or ())} sign-ins'}?", yes=yes)

    from gateway.admin.work.access import end_all, end_some

    ended = run(lambda on: end_all(on, user) if user else end_some(on, ids or ()))
    show_one(ended, as_json=as_json)
