"""The README says what is so, and `compose.yaml` leaves nothing of it out."""

import re
from pathlib import Path

import attrs

from shared.settings import Settings

PROJECT = Path(__file__).parent.parent
README = (PROJECT / "README.md").read_text()
COMPOSE = (PROJECT / "compose.yaml").read_text()
ITS_OWN = {  # inside of the containers
    *("POSTGRES_PORT", "POSTGRES_USER", "POSTGRES_DB", "DEFAULT_FILES_FOLDER_NAME"),
    *("GATEWAY_HOST", "GATEWAY_PORT", "BRIDGE_HOST", "BRIDGE_PORT"),
}
ROW = re.compile(r"^\| `([A-Z_]+)` \| (?:`([^`]*)`|none|not set) \|", re.MULTILINE)


def _written(default: object) -> str:
    match default:
        case bool():
            return str(default).lower()
        case float():
            return f"{default:g}"
        case tuple():
            return ",".join(default)
        case None | attrs.NOTHING:
            return ""
    return str(default)


def test_the_configuration_table_holds_every_variable_with_its_default() -> None:
    expected = {field.name.upper(): _written(field.default) for field in attrs.fields(Settings)}
    assert dict(ROW.findall(README)) == expected


def test_every_file_that_is_named_exists() -> None:
    named = re.findall(r"`((?:gateway|agent_bridge|shared|devstack)/[\w/.]*)`", README)
    assert [name for name in named if not (PROJECT / name).exists()] == []


def test_compose_passes_on_what_an_operator_may_set() -> None:
    named = set(re.findall(r"^ +([A-Z_]+):", COMPOSE, re.MULTILINE))
    assert {field.name.upper() for field in attrs.fields(Settings)} - named == ITS_OWN
