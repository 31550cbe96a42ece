"""Commands about agents: which there are, and who is connected where."""

from typing import Annotated

import typer

from gateway.admin.options import ForUser, Json, Limit, Offset, examples, new_group
from gateway.admin.output import show_list
from gateway.admin.running import ask

group = new_group("Agents, and the doors that they come in by.")


@group.command("list", epilog=examples("agents list --connected", "agents list --user ada --json"))
def list_agents(
    user: ForUser = None,
    connected: Annotated[bool, typer.Option("--connected", help="Only those.")] = False,
    limit: Limit = 100,
    offset: Offset = 0,
    as_json: Json = False,
) -> None:
    """List agents and where they are connected: at the door of a bridge, or at the router."""
    from gateway.admin.work.agents import select_agents
    from gateway.admin.work.listing import Part

    part = Part(limit, offset)
    listed = ask(lambda on: select_agents(on, user, only_connected=connected, part=part))
    show_list(listed, as_json=as_json)


@group.command("doors", epilog=examples("agents doors"))
def list_doors(limit: Limit = 100, offset: Offset = 0, as_json: Json = False) -> None:
    """List the bridges' doors: how many agents came in by each, and where the master agent is."""
    from gateway.admin.work.bridges import select_doors
    from gateway.admin.work.listing import Part

    part = Part(limit, offset)
    show_list(ask(lambda connection: select_doors(connection, part)), as_json=as_json)
