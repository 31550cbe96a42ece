"""Who is known to be who he says, as far as this leader has heard it.

Of agents that it has not heard of PostgreSQL knows what earlier leaders have. The router checks no
token, so whoever takes a place in silence, between two things that are heard, is not noticed.
"""

from agent_bridge.agents.registry import Refusal, Registration
from agent_bridge.router.frames import AgentUnregistered
from agent_bridge.router.session import AgentsSeen, RouterLost, TermBegan

type Told = Registration | Refusal | AgentUnregistered | AgentsSeen | RouterLost | TermBegan


class Standing:
    """The agents whose latest registration was good and who have not left since."""

    def __init__(self) -> None:
        self._verified: set[str] = set()

    def __contains__(self, agent_uuid: str) -> bool:
        return agent_uuid in self._verified

    def hear(self, told: Told) -> None:
        """Take in what was heard, in order."""
        match told:
            case Registration(agent_id=agent_id):
                self._verified.add(str(agent_id))
            case Refusal(agent_id):
                self._verified.discard(str(agent_id))
            case AgentUnregistered(agent_uuid):
                self._verified.discard(agent_uuid)
            case AgentsSeen(verified=verified, absent=absent):
                self._verified |= {str(each) for each in verified}
                self._verified -= {str(each) for each in absent}
            case RouterLost() | TermBegan():
                self._verified.clear()
