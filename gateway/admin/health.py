"""The command about how everything is."""

import typer

from gateway.admin.faults import AdminError
from gateway.admin.options import Json, examples
from gateway.admin.output import show_list
from gateway.admin.running import run_anyhow

EXAMPLES = examples("health", "health --json")


def show_health(as_json: Json = False) -> None:
    """Look at every part: stores, migrations, bridges, the router, the master agent, mail.

    Ends with 1 where one of them is not well.
    """
    from gateway.admin.work.health import look_at_all

    listed = run_anyhow(look_at_all)
    show_list(listed, as_json=as_json)
    if not all(part.is_well for part in listed.things):
        raise typer.Exit(AdminError.code)
