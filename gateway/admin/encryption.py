"""Commands about the keys that secrets are stored with."""

import typer

from gateway.admin.faults import AdminError
from gateway.admin.options import Json, Yes, examples, new_group
from gateway.admin.output import show_one, tell
from gateway.admin.running import confirm, run

group = new_group("The keys that secrets are stored with.")

QUESTION = (
    "Bring all stored secrets to the newest of ENCRYPTION_KEYS? All services must know it already."
)


@group.command("status", epilog=examples("encryption status", "encryption status --json"))
def show_status(as_json: Json = False) -> None:
    """Show how many secrets are not yet stored with the newest of ENCRYPTION_KEYS."""
    from gateway.admin.work.encryption import read_status

    show_one(run(read_status), as_json=as_json)


@group.command("reencrypt", epilog=examples("encryption reencrypt", "encryption reencrypt --yes"))
def reencrypt(yes: Yes = False, as_json: Json = False) -> None:
    """Bring all stored secrets to the newest of ENCRYPTION_KEYS, beside running services.

    One that was ended goes on when it is run again.
    """
    confirm(QUESTION, yes=yes)

    from gateway.admin.work.encryption import reencrypt_all

    outcome = run(lambda on: reencrypt_all(on, tell))
    show_one(outcome, as_json=as_json)
    if outcome.left:
        raise typer.Exit(AdminError.code)
