"""Waiting log entries: in turn among agents, bounded for each, and nobody loses another one's."""

import pytest

from agent_bridge import metrics
from agent_bridge.intake import entries as module
from agent_bridge.intake.entries import Entries
from agent_bridge.router.frames import MASTER_SERVER_ML, AgentLogged


def logged(agent: str, message: str = "x", request: str = "request") -> AgentLogged:
    return AgentLogged(agent, f"session of {request}", request, "info", message)


def put(entries: Entries, *given: AgentLogged) -> None:
    for each in given:
        entries.put(each)


def taken(entries: Entries, most: int = 1000, characters: int = 10**6) -> list[AgentLogged]:
    found = entries.take(most, characters)
    entries.pending.finish(*found)
    return [waiting.entry for waiting in found]


def test_entries_come_in_the_order_in_which_they_were_logged() -> None:
    entries, given = Entries(0), [logged(agent, str(n)) for n, agent in enumerate("aabacb")]
    put(entries, *given)
    assert taken(entries) == given
    assert taken(entries) == []


def test_a_quiet_agent_waits_for_one_turn_only() -> None:
    entries = Entries(0)
    put(entries, *[logged("loud", str(number)) for number in range(100)], logged("quiet", "hush"))
    assert [entry.message for entry in taken(entries, 4)] == ["0", "1", "2", "hush"]


def test_what_the_master_agent_logs_counts_for_each_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "AGENT_ENTRIES_LIMIT", 1)
    entries = Entries(0)
    put(entries, *[logged(MASTER_SERVER_ML, request=request) for request in "abab"])
    assert [entry.request_id for entry in taken(entries)] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "limit"), [("AGENT_ENTRIES_LIMIT", 2), ("AGENT_CHARACTERS_LIMIT", 80)]
)
def test_who_has_too_much_waiting_loses_his_newest_and_is_told_once(
    name: str, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, limit)
    entries, before = Entries(0), dropped()
    put(entries, *[logged("loud", str(number)) for number in range(5)], logged("quiet", "hush"))
    assert dropped() - before == 3
    [told] = entries.tell_losses()
    assert (told.agent_uuid, told.request_id, told.log_level) == ("loud", "request", "warning")
    assert told.message.startswith("3 log entries were left out here")
    kept = taken(entries)
    assert [entry.message for entry in kept if entry != told] == ["0", "1", "hush"]
    assert told in kept


@pytest.mark.parametrize(("name", "limit"), [("ENTRIES_LIMIT", 3), ("CHARACTERS_LIMIT", 120)])
def test_when_all_is_full_whoever_has_most_waiting_loses(
    name: str, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, limit)
    entries = Entries(0)
    put(entries, *[logged("loud", str(number)) for number in range(9)], logged("quiet", "hush"))
    assert [entry.message for entry in taken(entries)] == ["0", "1", "hush"]
    assert [told.agent_uuid for told in entries.tell_losses()] == ["loud"]


def test_above_his_share_an_agent_loses_entries_until_time_has_passed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(module, "monotonic", lambda: now)
    entries = Entries(2)
    burst = 2 * module.BURST_SECONDS
    put(entries, *[logged("loud") for _ in range(burst + 5)], logged("quiet"))
    assert len(taken(entries)) == burst + 1
    [told] = entries.tell_losses()
    assert told.message.startswith("5 ")
    now += 1.5
    put(entries, *[logged("loud", "later") for _ in range(5)])
    assert [entry.message for entry in taken(entries)] == [told.message, "later", "later", "later"]


def test_a_long_entry_counts_for_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "monotonic", lambda: 1.0)
    entries = Entries(1)
    put(entries, logged("a", "x" * 9 * module.ENTRY_CHARACTERS), logged("a"), logged("a"))
    assert len(taken(entries)) == 2


def test_losses_are_told_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(module, "monotonic", lambda: now)
    monkeypatch.setattr(module, "AGENT_ENTRIES_LIMIT", 0)
    entries = Entries(0)
    put(entries, logged("a"))
    assert len(list(entries.tell_losses())) == 1
    put(entries, logged("a"), logged("a"))
    assert list(entries.tell_losses()) == []
    now += module.LOSS_SECONDS
    [told] = entries.tell_losses()
    assert told.message.startswith("2 ")


def test_agents_that_are_quiet_again_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGENTS_LIMIT", 3)
    entries = Entries(5)
    for number in range(20):
        put(entries, logged(str(number)))
        taken(entries)
    assert len(entries._queues) <= 3


def test_long_entries_are_taken_few_at_a_time_but_at_least_one() -> None:
    entries, given = Entries(0), [logged("a", f"{n}" * 1000) for n in range(5)]
    put(entries, *given)
    assert taken(entries, characters=1500) == given[:2]
    assert taken(entries, characters=1) == given[2:3]
    assert taken(entries) == given[3:]


def test_a_request_is_stored_when_none_of_its_entries_from_before_is_left() -> None:
    entries = Entries(0)
    put(entries, logged("a", request="1"), logged("b", request="2"))
    marker = entries.next_number()
    put(entries, logged("a", request="1"))
    assert not entries.pending.are_stored(("1",), marker)
    assert entries.pending.are_stored(("3",), marker)
    found = entries.take(2, 1000)
    assert not entries.pending.are_stored(("1", "2"), marker)
    entries.pending.finish(*found)
    assert entries.pending.are_stored(("1", "2"), marker)
    assert entries.pending.are_stored(None, marker)
    assert not entries.pending.are_stored(None, entries.next_number())


def dropped() -> float:
    (family,) = metrics.LOG_ENTRIES_DROPPED.collect()
    return next(each.value for each in family.samples if each.name.endswith("_total"))
