"""The commands as one value."""

import typer

from gateway.admin import (
    agents,
    audit,
    budgets,
    encryption,
    health,
    keys,
    queues,
    quotas,
    requests,
    sessions,
    users,
)
from gateway.admin.faults import MEANINGS
from gateway.admin.options import examples

HELP = """Administer an installation, beside its running services.

It reads the settings of the services: their environment, or `.env` in the working folder."""

_codes = "Exit codes: " + "; ".join(f"{code.value} {means}" for code, means in MEANINGS.items())

app = typer.Typer(
    help=HELP,
    epilog=f"{examples('health', 'users create ada', 'requests why ID')}\n\n{_codes}.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they would show what is in the program's hands
    context_settings={"help_option_names": ["-h", "--help"]},
)
for noun in (users, sessions, keys, requests, agents, queues, quotas, budgets, encryption):
    app.add_typer(noun.group, name=noun.__name__.rpartition(".")[-1])
app.command("audit", epilog=audit.EXAMPLES)(audit.show_audit)
app.command("health", epilog=health.EXAMPLES)(health.show_health)
