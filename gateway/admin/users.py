"""Commands about users."""

from typing import Annotated, Any

import typer

from gateway.admin.faults import AdminError
from gateway.admin.options import Json, Limit, Offset, OfUser, Yes, examples, new_group
from gateway.admin.output import Progress, show_list, show_one, tell
from gateway.admin.passwords import FromStdin, read_password
from gateway.admin.running import ask, confirm, run

group = new_group("Users: who there is, new ones, administrators, and who is locked out.")


@group.command(
    "list", epilog=examples("users list", "users list --name ada --json", "users list --admins")
)
def list_users(
    name: Annotated[str | None, typer.Option(help="A part of the name.")] = None,
    admins: Annotated[bool, typer.Option("--admins", help="Only administrators.")] = False,
    locked: Annotated[bool, typer.Option("--locked", help="Only who is locked out.")] = False,
    limit: Limit = 100,
    offset: Offset = 0,
    as_json: Json = False,
) -> None:
    """List users, newest first."""
    from gateway.admin.work.listing import Part
    from gateway.admin.work.users import Filter, select_users

    wanted, part = Filter(name, admins=admins, locked=locked), Part(limit, offset)
    show_list(ask(lambda connection: select_users(connection, wanted, part)), as_json=as_json)


@group.command("show", epilog=examples("users show ada", "users show ada --json"))
def show_user(user: OfUser, as_json: Json = False) -> None:
    """Show a user, and how much of everything there is of his."""
    from gateway.admin.work.users import select_user

    show_one(ask(lambda connection: select_user(connection, user)), as_json=as_json)


@group.command(
    "create",
    epilog=examples("users create ada", "users create ada --password-stdin < password"),
)
def create_user(
    username: Annotated[str, typer.Argument(metavar="NAME", help="The new name.")],
    from_stdin: FromStdin = False,
    as_json: Json = False,
) -> None:
    """Add a user; the password is asked for. The rules are those of a registration."""
    password = read_password(from_stdin=from_stdin)

    from gateway.admin.work import users

    created = run(lambda on: users.create_user(on, username, password))
    show_one(created, as_json=as_json)


@group.command(
    "import", epilog=examples("users import users.csv", "users import - --json < users.csv")
)
def import_users(
    file: Annotated[
        typer.FileText,
        typer.Argument(
            metavar="FILE",
            encoding="utf-8-sig",
            help="CSV; - is stdin. Columns: username, password, perhaps first_name, last_name.",
        ),
    ],
    as_json: Json = False,
) -> None:
    """Add a user for each line of a CSV file, and report the lines that were refused.

    Lines whose users there are already are refused: to go on after an end, run it again.
    """
    from gateway.admin.work import importing
    from gateway.admin.work.installation import Installation
    from gateway.admin.work.listing import Listed

    async def work(on: Installation) -> importing.Imported:
        return await importing.import_users(on, file, Progress())

    outcome = run(work)
    if as_json:
        show_one(outcome, as_json=True)
    elif outcome.refused:
        show_list(Listed(outcome.refused), as_json=False)
    tell(f"{outcome.created:,} users were created, {len(outcome.refused):,} lines refused.")
    if outcome.refused:
        raise typer.Exit(AdminError.code)


@group.command(
    "set-password",
    epilog=examples("users set-password ada", "users set-password ada --password-stdin < password"),
)
def set_password(user: OfUser, from_stdin: FromStdin = False, as_json: Json = False) -> None:
    """Give a user another password, which is asked for; all his sign-ins end."""
    password = read_password(from_stdin=from_stdin)

    from gateway.admin.work import access

    show_one(run(lambda on: access.set_password(on, user, password)), as_json=as_json)


@group.command("reset", epilog=examples("users reset ada", "users reset ada --json"))
def make_reset_link(user: OfUser, as_json: Json = False) -> None:
    """Print a link by which a user sets another password, once; a former one is void.

    Whoever has it is taken for the user. Without PUBLIC_URL there is the token alone.
    """
    from gateway.admin.work import access

    show_one(run(lambda on: access.make_reset_link(on, user)), as_json=as_json)


@group.command("make-admin", epilog=examples("users make-admin ada"))
def make_admin(user: OfUser, yes: Yes = False, as_json: Json = False) -> None:
    """Make a user an administrator: the way to the first one."""
    confirm(f"Make {user} an administrator?", yes=yes)
    _change(user, as_json, role="admin")


@group.command("make-user", epilog=examples("users make-user ada"))
def make_user(user: OfUser, yes: Yes = False, as_json: Json = False) -> None:
    """Make an administrator a user like any other."""
    confirm(f"Make {user} a user like any other?", yes=yes)
    _change(user, as_json, role="user")


@group.command("lock", epilog=examples("users lock ada"))
def lock_user(user: OfUser, yes: Yes = False, as_json: Json = False) -> None:
    """Lock a user out: all sign-ins end, and there is no new one. What he has stays."""
    confirm(f"Lock {user} out?", yes=yes)
    _change(user, as_json, locked=True)


@group.command("unlock", epilog=examples("users unlock ada"))
def unlock_user(user: OfUser, yes: Yes = False, as_json: Json = False) -> None:
    """Let a user sign in again."""
    confirm(f"Let {user} sign in again?", yes=yes)
    _change(user, as_json, locked=False)


def _change(user: str, as_json: bool, **changes: Any) -> None:
    from gateway.admin.work.access import change_account
    from gateway.users.schemas import AccountChanges

    changed = run(lambda on: change_account(on, user, AccountChanges(**changes)))
    show_one(changed, as_json=as_json)


@group.command("delete", epilog=examples("users delete ada", "users delete ada --yes --json"))
def delete_user(user: OfUser, yes: Yes = False, as_json: Json = False) -> None:
    """Delete a user with all that he has. Once begun it can't be taken back.

    Killed, it is gone on with by the gateways, or by the same command with the user's id.
    """
    confirm(f"Delete {user} with all chats, files, agents and whatever else there is?", yes=yes)
    from gateway.admin.work import leaving
    from gateway.admin.work.installation import Installation
    from gateway.leaving.deletion import Deletion

    async def work(on: Installation) -> Deletion:
        return await leaving.delete_user(on, user, Progress())

    show_one(run(work), as_json=as_json)
