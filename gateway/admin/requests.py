"""Commands about requests: messages on their way to an answer."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer

from gateway.admin.options import ForUser, Json, Limit, Offset, Yes, examples, new_group
from gateway.admin.output import show_list, show_one
from gateway.admin.running import ask, confirm, run

group = new_group("Requests: messages on their way to an answer.")


class Status(StrEnum):
    """What a request may be; the first two are open."""

    QUEUED = "queued"
    RUNNING = "running"
    ANSWERED = "answered"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


OPEN = (Status.QUEUED, Status.RUNNING)

RequestId = Annotated[UUID, typer.Argument(metavar="ID", help="The request's id.")]


@group.command(
    "list",
    epilog=examples(
        "requests list", "requests list --user ada --status queued", "requests list --all --hours 1"
    ),
)
def list_requests(
    user: ForUser = None,
    session: Annotated[UUID | None, typer.Option(help="Only of this chat.")] = None,
    status: Annotated[
        list[Status] | None, typer.Option(help="Only these; may be given again. Open ones if not.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Whatever their status is.")] = False,
    hours: Annotated[
        float | None, typer.Option(min=0, help="Only those that were asked in so many.")
    ] = None,
    limit: Limit = 100,
    offset: Offset = 0,
    as_json: Json = False,
) -> None:
    """List requests, newest first: the open ones, if nothing else is said.

    Not what was asked nor what was answered.
    """
    from gateway.admin.work.listing import Part
    from gateway.admin.work.requests import Filter, select_requests

    wanted = Filter(
        user=user,
        session_id=session,
        statuses=[*Status] if everything else status or OPEN,
        since=None if hours is None else timedelta(hours=hours),
    )
    part = Part(limit, offset)
    show_list(ask(lambda connection: select_requests(connection, wanted, part)), as_json=as_json)


@group.command("cancel", epilog=examples("requests cancel ID", "requests cancel ID ID --yes"))
def cancel_requests(
    request_ids: Annotated[list[UUID], typer.Argument(metavar="ID...", help="Their ids.")],
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Cancel requests, as their owners could; those that have ended stay as they are."""
    confirm(f"Cancel {len(request_ids)} of users' requests?", yes=yes)

    from gateway.admin.work.requests import cancel_all

    show_list(run(lambda on: cancel_all(on, request_ids)), as_json=as_json)


@group.command("why", epilog=examples("requests why ID", "requests why ID --json"))
def explain_request(request_id: RequestId, as_json: Json = False) -> None:
    """Say why a request is waiting.

    It looks at its state and claim, at what else its user and the others have, at which bridges
    are heard, and at who is connected.
    """
    from gateway.admin.work.waiting import explain

    show_one(run(lambda on: explain(on, request_id)), as_json=as_json)
