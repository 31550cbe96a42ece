"""How all processes, stores and queues of the installation are, live, for administrators."""

from gateway.parts.schemas import Parts
from gateway.web.auth import Access
from gateway.web.call import Call
from gateway.web.inputs import Nothing
from gateway.web.operation import Operation


async def read_parts(call: Call[Nothing, Nothing]) -> Parts:
    """Read how each process and each store is at this moment, and what waits.

    Each process is asked, and has half a second to answer. Rates and percentiles come of two
    answers of one process: its counters and distributions only grow, until it starts anew.
    """
    return await call.state["looking"].look(call.state["readiness"])


operations = [
    Operation(
        method="GET",
        path="/api/parts",
        handler=read_parts,
        result=Parts,
        access=Access.ADMIN,
        fails=False,
        lends=False,
    ),
]
