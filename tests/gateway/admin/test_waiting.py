"""What is concluded from what is seen of a request and around it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from gateway.admin.work.waiting import Around, conclude
from gateway.parts.schemas import Leader
from gateway.requests.facts import Facts

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BRIDGE, OTHER = UUID(int=1), UUID(int=2)
LEADER = Leader(is_held=True, holder=UUID(int=3), expires_at=NOW)
RUNNING = {"status": "running", "bridge_id": BRIDGE}
SENT = {**RUNNING, "sent_at": NOW, "since_sent": 61.0}
LEFT = "It is waited for 590 seconds longer at most."


def make_facts(**others: Any) -> Facts:
    facts: dict[str, Any] = {
        "username": "ada",
        "session_id": UUID(int=4),
        "status": "queued",
        "created_at": NOW,
        "sent_at": None,
        "ended_at": None,
        "deadline": NOW,
        "bridge_id": None,
        "is_late": False,
        "is_lost": False,
        "waited": 10.0,
        "since_sent": 0.0,
        "seconds_left": 590.0,
        "asked_id": None,
        "agent_alias": None,
        "agent_is_active": None,
        "before_id": None,
        "before_status": None,
        "user_running": 2,
        "user_before": 1,
        "all_running": 64,
        "all_queued": 7,
        "last_log_at": None,
    }
    return Facts(**{**facts, **others})


def make_around(**others: Any) -> Around:
    around: dict[str, Any] = {
        "bridges": {BRIDGE},
        "has_doors": False,
        "has_master_agent": False,
        "leader": LEADER,
    }
    return Around(**{**around, **others})


@pytest.mark.parametrize(
    ("facts", "around", "beginnings"),
    [
        ({}, {}, ["It waits for a free lane of a bridge (ROUTER_LANES): 64 requests run"]),
        ({"waited": 0.1}, {}, ["It has only just come"]),
        (
            {"before_id": OTHER, "before_status": "queued"},
            {},
            [f"Request {OTHER} of the same chat was asked before it and waits"],
        ),
        ({}, {"bridges": set()}, ["No bridge says that it takes requests"]),
        ({}, {"bridges": None}, ["Redis can't be listened to", "It waits for a free lane"]),
        (RUNNING, {}, [f"Bridge {BRIDGE} has it and has not sent it yet"]),
        (
            RUNNING,
            {"bridges": {OTHER}, "leader": None},
            [
                f"Bridge {BRIDGE} has it and has not sent it yet",
                "That bridge says no more that it takes requests",
                "No bridge holds the session at the router",
            ],
        ),
        (
            {**RUNNING, "is_lost": True},
            {},
            [f"Bridge {BRIDGE} has it and says nothing any more: any other one takes it over"],
        ),
        (
            {**SENT, "last_log_at": NOW},
            {"has_doors": True, "has_master_agent": True},
            [
                "The master agent has had it for 61 seconds.",
                "The last log entry about it is of 2026-01-01 00:00:00Z.",
            ],
        ),
        (
            SENT,
            {"has_doors": True},
            ["The master agent has had it", "The master agent is at no door"],
        ),
        (
            {**SENT, "asked_id": OTHER, "agent_alias": "painter", "agent_is_active": False},
            {},
            ["The agent painter has had it for 61", "That agent is not connected any more."],
        ),
        ({**SENT, "asked_id": OTHER}, {}, [f"The flow {OTHER} has had it for 61 seconds."]),
        (
            {**SENT, "is_lost": True},
            {},
            ["Bridge", "The master agent has had it"],
        ),
    ],
)
def test_the_first_reason_is_the_one_that_matters_most(
    facts: dict[str, Any], around: dict[str, Any], beginnings: list[str]
) -> None:
    *said, last = conclude(make_facts(**facts), make_around(**around))
    assert last == LEFT
    assert [text[: len(begin)] for text, begin in zip(said, beginnings, strict=True)] == beginnings


def test_who_is_late_waits_for_a_bridge_alone() -> None:
    [late, none] = conclude(make_facts(is_late=True), make_around(bridges=set()))
    assert late.startswith("Its time is over")
    assert none.startswith("No bridge")


def test_what_has_ended_does_not_wait() -> None:
    [said] = conclude(make_facts(status="failed", ended_at=NOW), make_around())
    assert said == "It does not wait, it was ended at 2026-01-01 00:00:00Z."
