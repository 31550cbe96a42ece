"""The command about who did what."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from gateway.admin.options import ForUser, Json, Limit, Offset, examples
from gateway.admin.output import show_list
from gateway.admin.running import ask

EXAMPLES = examples(
    "audit --user ada",
    "audit --action user.role_changed --since 2026-01-01 --json",
)


def show_audit(
    user: ForUser = None,
    object_id: Annotated[
        UUID | None, typer.Option("--object", metavar="ID", help="Only what was done to this.")
    ] = None,
    action: Annotated[str | None, typer.Option(help="Only this, user.locked say.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Only from this time on (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(help="Only before this time (UTC).")] = None,
    limit: Limit = 100,
    offset: Offset = 0,
    as_json: Json = False,
) -> None:
    """List who did what to which object and from where, the newest first.

    A user who was deleted is named by the id.
    """
    from gateway.admin.work.audit import Filter, select_audit
    from gateway.admin.work.listing import Part

    wanted, part = Filter(user, object_id, action, since, until), Part(limit, offset)
    show_list(ask(lambda connection: select_audit(connection, wanted, part)), as_json=as_json)
