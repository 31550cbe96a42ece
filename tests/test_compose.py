"""The containers' file agrees with the settings."""

import re
from pathlib import Path
from typing import Any

import attrs

from shared.settings import Settings

COMPOSE = (Path(__file__).parent.parent / "compose.yaml").read_text()
REST_SECONDS = 5  # in which a process that has drained ends


def test_a_container_has_the_time_that_it_needs_to_go_down_in_order() -> None:
    defaults: dict[str, Any] = {field.name: field.default for field in attrs.fields(Settings)}
    needed = defaults["drain_grace"] + defaults["drain_timeout"] + REST_SECONDS
    given = [int(seconds) for seconds in re.findall(r"stop_grace_period: (\d+)s", COMPOSE)]
    assert given
    assert min(given) > needed
