"""Agents of users, connected: each logs and echoes as it is told."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

from devstack.processes import stopping
from tests.benchmarks.callers import Callee
from tests.benchmarks.installation import STUB, Installation, start_stub
from tests.benchmarks.people import Person, insert_agents
from tests.sql import run_sql
from tests.users import eventually

SELECT_ACTIVE = """
    SELECT id, alias, creator_id FROM agents
    WHERE is_active AND creator_id = ANY(CAST(%s AS uuid[]))
"""


@asynccontextmanager
async def agents_of(place: Installation, people: Sequence[Person]) -> AsyncIterator[list[Callee]]:
    """An agent of each of these, which all are one process; they leave with the block."""
    settings = place.system.settings
    tokens = insert_agents(settings, people)
    owners = {person.id: person for person in people}
    child = start_stub(place.system, f"agents {uuid4()}", tokens)
    place.processes[STUB].append(child.pid)
    active: list[Callee] = []
    with stopping(child), run_sql(settings) as sql:

        async def are_active() -> bool:
            active[:] = [
                Callee(owners[str(row["creator_id"])], str(row["id"]), row["alias"])
                for row in sql(SELECT_ACTIVE, [*owners])
            ]
            return len(active) == len(people)

        await eventually(are_active, "all agents are active")
        yield active
        place.processes[STUB].remove(child.pid)
