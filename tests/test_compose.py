"""The containers' file agrees with the settings."""

import re
from pathlib import Path

import attrs

from shared.settings import Settings

COMPOSE = (Path(__file__).parent.parent / "compose.yaml").read_text()
ITS_OWN = {  # inside of the containers
    *("POSTGRES_PORT", "POSTGRES_USER", "POSTGRES_DB", "DEFAULT_FILES_FOLDER_NAME"),
    *("GATEWAY_HOST", "GATEWAY_PORT", "BRIDGE_HOST", "BRIDGE_PORT"),
}
REST_SECONDS = 5  # in which a process that has drained ends


def test_a_container_has_the_time_that_it_needs_to_go_down_in_order() -> None:
    fields = attrs.fields(Settings)
    grace, timeout = fields.drain_grace.default, fields.drain_timeout.default
    assert grace is not None
    assert timeout is not None
    needed = grace + timeout + REST_SECONDS
    given = [int(seconds) for seconds in re.findall(r"stop_grace_period: (\d+)s", COMPOSE)]
    assert given
    assert min(given) > needed


def test_what_an_operator_may_set_is_passed_on() -> None:
    named = set(re.findall(r"^ +([A-Z_]+):", COMPOSE, re.MULTILINE))
    assert {field.name.upper() for field in attrs.fields(Settings)} - named == ITS_OWN
