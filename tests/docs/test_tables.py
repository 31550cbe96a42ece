"""The tables of settings and metrics hold what the code has, and no more."""

import re

import attrs

from shared.settings.installation import Settings
from shared.settings.migrating import MigratingSettings
from tests.docs.exported import find_metrics
from tests.docs.pages import DOCS, read_rows


def _written(default: object) -> str:
    match default:
        case bool():
            return f"`{str(default).lower()}`"
        case float():
            return f"`{default:g}`"
        case attrs.NOTHING:
            return "none"
        case None | () | object(takes_self=True):  # or it follows from others
            return "not set"
        case tuple():
            return f"`{' '.join(default)}`" if len(default) > 1 else f"`{default[0]}`"
    return f"`{default}`"


def test_the_configuration_table_holds_every_variable_with_its_default() -> None:
    rows = read_rows(DOCS / "reference/settings.md")
    of_all = (*attrs.fields(Settings), *attrs.fields(MigratingSettings))
    fields = [("", each) for each in of_all if "read" in each.metadata]
    families = [each.metadata["family"] for each in of_all if "family" in each.metadata]
    fields += [
        (f"{family.prefix}<NAME>_", each)
        for family in families
        for each in attrs.fields(family.kind)
        if "read" in each.metadata
    ]
    expected = {f"`{prefix}{each.name.upper()}`": _written(each.default) for prefix, each in fields}
    assert {variable: default for variable, default, _ in rows} == expected


def test_the_table_of_metrics_holds_each_that_the_services_have() -> None:
    rows = read_rows(DOCS / "reference/watching.md")
    assert {name for row in rows for name in re.findall(r"`(genai_\w+)`", row[0])} == set(
        find_metrics()
    )
