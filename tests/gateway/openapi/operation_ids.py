"""What each operation is called, as clients have it that were made of the description.

`make docs` adds those of new operations. Whatever else is to change is changed by hand, and breaks
those clients: the changes tell of it.
"""

import json
from pathlib import Path

from gateway.app import TITLE
from gateway.openapi.description import describe
from gateway.routes import operations
from shared import VERSION

FILE = Path(__file__).parent / "operation_ids.json"


def read_ids() -> dict[str, str]:
    """The ids as they are to stay, by method and path."""
    ids: dict[str, str] = json.loads(FILE.read_text())
    return ids


def find_ids() -> dict[str, str]:
    """The ids as they are."""
    return {
        f"{method.upper()} {path}": described["operationId"]
        for path, methods in describe(operations, TITLE, VERSION)["paths"].items()
        for method, described in methods.items()
    }


def add_new(kept: dict[str, str], found: dict[str, str]) -> dict[str, str]:
    """All that are kept, as they are, and what is new beside them."""
    both = {**found, **kept}
    return {line: both[line] for line in sorted(both, key=lambda each: each.split(" ")[::-1])}


if __name__ == "__main__":
    FILE.write_text(json.dumps(add_new(read_ids(), find_ids()), indent=2) + "\n")
