"""Agents that are asked themselves: what they are given, and what comes of it."""

from typing import Any

import attrs
from attrs import define, field

from agent_bridge.requests.compose import UnfitError
from agent_bridge.router.frames import NOT_ACTIVE, UNREGISTERED, Rejection, Reply
from shared.codec.depth import is_too_deep
from shared.codec.sizes import in_units
from shared.codec.text import write_json
from shared.domain.asked import AskedAgent, away
from shared.domain.endings import Outcome, failed
from shared.domain.frames import answer_from

MOST_BYTES = 8 * 1024 * 1024  # of a trace

type Content = dict[str, Any]
"""What an agent is given, by its parameters."""
type Step = dict[str, Any]
"""An agent's entry in the trace, in the form of the master agent's."""


def refusal(agent: AskedAgent, rejection: Rejection) -> Outcome:
    """What a request ends with that an agent did not answer."""
    if rejection.message == NOT_ACTIVE:
        return failed(away(agent.alias))
    if rejection.message == UNREGISTERED:
        return failed(f"The agent {agent.alias} left before the answer came", "interrupted")
    reason = rejection.message or "it does not say why"
    return failed(f"The agent {agent.alias} failed: {reason}")


def text_of(agent: AskedAgent, response: object) -> str:
    """The text of what an agent answered. Raises UnfitError where it can't be shown."""
    match response:
        case {"response": str(text)} | str(text):
            return text
    if is_too_deep(response):
        raise UnfitError(f"The answer of the agent {agent.alias} is nested too deeply")
    return write_json(response).decode()


@define
class Trace:
    """What the agents were given and have answered, in so many bytes at most."""

    most_bytes: int = MOST_BYTES
    steps: list[Step] = field(factory=list)
    _bytes: int = field(default=0, init=False)

    def begin(self, agent: AskedAgent, said: str | Content) -> Content:
        """Note that an agent is asked, with a text or with arguments; what it is given."""
        given = said if isinstance(said, dict) else {str(agent.parameter): said}
        step = {"id": str(agent.id), "name": agent.alias, "input": given, "output": None}
        self.steps.append({**step, "is_success": False, "execution_time": 0.0, "type": "genai"})
        return given

    def end(self, reply: Reply | Rejection) -> None:
        """Note what it has answered. Raises UnfitError where that is too large to be kept."""
        is_success = isinstance(reply, Reply)
        output = reply.response if isinstance(reply, Reply) else reply.message
        said = {"output": output, "is_success": is_success, "execution_time": reply.execution_time}
        step = {**self.steps[-1], **said}
        self._bytes += len(write_json(step))
        if self._bytes > self.most_bytes:
            most = in_units(self.most_bytes)
            raise UnfitError(f"What the agents were given and answered has more than {most}")
        self.steps[-1] = step

    def conclude(self, outcome: Outcome) -> Outcome:
        """The outcome with what led to it."""
        seconds = sum(step["execution_time"] for step in self.steps)
        answer = answer_from({**outcome.answer, "agents_trace": self.steps})
        return attrs.evolve(outcome, answer=answer, execution_time=seconds)
