"""The tables of bounds tell the values that are in force, and leave none out."""

import re
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module

import attrs
import pytest

from shared.settings.installation import Settings
from tests.docs.pages import DOCS, PROJECT, read_rows

SERVICES = ("gateway", "agent_bridge", "shared")
# What a constant or a setting is called that bounds something.
BOUND = re.compile(
    r"^((?:[A-Z]+_)*(?:LIMIT|MOST|MAX|PER)(?:_[A-Z]+)*)(?:: \w+)? = [\d(]", re.MULTILINE
)
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "day": 24 * 3600}
BOUNDS = read_rows(DOCS / "reference/bounds.md")


@pytest.mark.parametrize(("told", "name"), [(told, name.strip("`")) for _, told, name, _ in BOUNDS])
def test_a_bound_is_what_the_table_tells(told: str, name: str) -> None:
    number, _, unit = told.partition(" ")
    assert float(number.replace(",", "")) * UNITS.get(unit, 1) == _find_bound(name)


def _find_bound(name: str) -> float:
    """A setting's default, or a module's constant; times are seconds."""
    module, _, constant = name.rpartition(".")
    value = getattr(import_module(module), constant) if module else _default(constant)
    assert isinstance(value, int | float | timedelta)
    return value.total_seconds() if isinstance(value, timedelta) else value


def _default(variable: str) -> object:
    return getattr(attrs.fields(Settings), variable.lower()).default


def test_the_tables_hold_all_that_is_called_a_bound() -> None:
    names = {name.strip("`") for _, _, name, _ in BOUNDS}
    assert {*_constants(), *_settings()} - names == set()


def _constants() -> Iterator[str]:
    """Those of the services; migrating and taking over are no part of them."""
    for path in (path for service in SERVICES for path in (PROJECT / service).rglob("*.py")):
        module = ".".join(path.relative_to(PROJECT).with_suffix("").parts)
        if not module.startswith("shared.upgrade."):
            yield from (f"{module}.{name}" for name in BOUND.findall(path.read_text()))


def _settings() -> Iterator[str]:
    variables = (field.name.upper() for field in attrs.fields(Settings))
    return (each for each in variables if BOUND.match(f"{each} = 0"))
