"""The table of the audit log holds every action, and triggers note no other."""

import re

from gateway.audit.actions import Action
from shared.upgrade.migrate import MIGRATIONS
from tests.docs.pages import DOCS, read_rows

NOTED = re.compile(r"note_audit\(\s*'([a-z0-9_.]+)'")


def test_the_table_of_actions_holds_each() -> None:
    rows = read_rows(DOCS / "reference/audit.md")
    told = [name for name, *_ in rows if re.fullmatch(r"`\w+\.\w+`", name)]
    assert told == [f"`{action}`" for action in Action]


def test_triggers_note_actions_of_the_list() -> None:
    files = [path for path in MIGRATIONS.glob("*.sql") if ".rollback" not in path.name]
    noted = {action for path in files for action in NOTED.findall(path.read_text())}
    assert noted
    assert noted <= {*Action}
