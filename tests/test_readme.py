"""The README says what is so."""

import re
from pathlib import Path

import attrs

from shared.settings import Settings

PROJECT = Path(__file__).parent.parent
README = (PROJECT / "README.md").read_text()
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
