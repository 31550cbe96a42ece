"""What an owner is told that a request waits for."""

from typing import Any
from uuid import UUID

import pytest

from gateway.requests.waiting import (
    AFTER_ANOTHER,
    AGENT_AWAY,
    JUST_NOW,
    LATE,
    LOST,
    NO_BRIDGE,
    TAKEN,
    conclude,
)
from tests.gateway.admin.test_waiting import NOW, RUNNING, SENT, make_facts

ASKED = {**SENT, "asked_id": UUID(int=9)}


@pytest.mark.parametrize(
    ("others", "has_bridges", "said"),
    [
        ({"is_late": True}, True, [LATE]),
        ({"before_id": UUID(int=5), "before_status": "running"}, True, [AFTER_ANOTHER]),
        ({}, False, [NO_BRIDGE]),
        ({"waited": 0.5}, True, [JUST_NOW]),
        ({}, True, ["It waits for its turn: 2 requests of yours run, and 1 wait longer"]),
        (RUNNING, True, [TAKEN]),
        ({**RUNNING, "is_lost": True}, True, [LOST]),
        (SENT, True, ["The master agent has had it for 61 seconds"]),
        (ASKED, True, ["The flow has had it for 61 seconds"]),
        (
            {**ASKED, "agent_alias": "painter", "agent_is_active": False},
            True,
            ["The agent painter has had it for 61 seconds", AGENT_AWAY],
        ),
        ({"status": "answered", "ended_at": NOW}, True, []),
    ],
)
def test_a_request_says_what_it_waits_for(
    others: dict[str, Any], has_bridges: bool, said: list[str]
) -> None:
    assert [*conclude(make_facts(**others), has_bridges=has_bridges)] == said
