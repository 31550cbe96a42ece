"""What a request waits for, in words for its owner: of other users' he is told nothing."""

from collections.abc import Iterator

from gateway.requests.facts import Facts

JUST_NOW_SECONDS = 2.0
LATE = "Its time is over: it is ended within a second"
AFTER_ANOTHER = "An earlier message of the same chat is not answered yet"
NO_BRIDGE = "Nothing takes requests at the moment: no agent bridge is heard"
JUST_NOW = "It has only just come"
TAKEN = "It was taken, and is about to be sent"
LOST = "The bridge that has it says nothing any more: another one sees to it within a second"
AGENT_AWAY = "The agent that is asked is not connected any more"


def conclude(facts: Facts, *, has_bridges: bool) -> Iterator[str]:
    """What it waits for; the first sentence is the one that matters most, none: it has ended."""
    match facts.status:
        case "queued":
            yield from _queued(facts, has_bridges=has_bridges)
        case "running" if facts.is_lost:
            yield LOST
        case "running" if facts.sent_at is None:
            yield TAKEN
        case "running":
            yield f"{_asked(facts)} has had it for {facts.since_sent:,.0f} seconds"
            if facts.agent_is_active is False:
                yield AGENT_AWAY


def _queued(facts: Facts, *, has_bridges: bool) -> Iterator[str]:
    if facts.is_late:
        yield LATE
    elif facts.before_id is not None:
        yield AFTER_ANOTHER
    elif not has_bridges:
        yield NO_BRIDGE
    elif facts.waited < JUST_NOW_SECONDS:
        yield JUST_NOW
    else:
        yield (
            f"It waits for its turn: {facts.user_running:,} requests of yours run, and"
            f" {facts.user_before:,} wait longer"
        )


def _asked(facts: Facts) -> str:
    if facts.asked_id is None:
        return "The master agent"
    return f"The agent {facts.agent_alias}" if facts.agent_alias else "The flow"
