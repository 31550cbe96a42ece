"""Commands about what waits."""

from gateway.admin.options import Json, Limit, Offset, examples, new_group
from gateway.admin.output import show_list, show_one
from gateway.admin.running import ask

group = new_group("What waits and what runs.")


@group.command("show", epilog=examples("queues show", "queues show --json"))
def show_queue(as_json: Json = False) -> None:
    """Show how many requests wait and run, and how long the oldest has waited."""
    from gateway.parts.queries import select_queue

    show_one(ask(select_queue), as_json=as_json)


@group.command("users", epilog=examples("queues users --limit 10"))
def list_user_queues(limit: Limit = 100, offset: Offset = 0, as_json: Json = False) -> None:
    """List whose requests wait and run, who waits longest first."""
    from gateway.admin.work.listing import Part
    from gateway.admin.work.queues import select_user_queues

    part = Part(limit, offset)
    show_list(ask(lambda connection: select_user_queues(connection, part)), as_json=as_json)
