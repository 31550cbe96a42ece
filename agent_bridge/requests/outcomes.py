"""How a request ends by what the router or the master agent said, or did not say."""

from agent_bridge.router.frames import NOT_ACTIVE, UNREGISTERED, Rejection, Reply
from shared.domain.endings import Outcome, failed
from shared.domain.frames import answer_from

ROUTER_AWAY = "The router can't be reached, please try again later"
MASTER_AWAY = "The master agent is not connected, please try again later"
MASTER_LEFT = "The master agent left before the answer came"
CONNECTION_LOST = "The connection to the router was lost before the answer came"
INTERRUPTED = "The request was interrupted before the answer came"
TIMED_OUT = "The answer did not come in time"
INTERNAL = "The request failed because of an internal error"


def outcome_of(reply: Reply | Rejection) -> Outcome:
    """What the master agent's reply ends its request with."""
    if isinstance(reply, Reply):
        return Outcome("answered", answer_from(reply.response), reply.execution_time)
    if reply.message == UNREGISTERED:
        return failed(MASTER_LEFT, "interrupted", reply.execution_time)
    reason = MASTER_AWAY if reply.message == NOT_ACTIVE else reply.message
    return failed(reason or INTERNAL, execution_time=reply.execution_time)
