"""The areas of the REST API that are replayed: whose recording it is and what has to be there."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2
from attrs import frozen

from tests.contract.binding import Binding, ends_of_aliases
from tests.contract.cases import Case, load, load_cases
from tests.contract.differences import Difference
from tests.contract.intended import everywhere
from tests.contract.replay import Event, Replay
from tests.system import SERVICE_KEY, System
from tests.users import User, register_user

RECORDED_GATEWAY = "http://127.0.0.1:8000"
RECORDED_KEY = "7a3fd399-3e48-46a0-ab7c-0eaf38020283::master_server_be"


@frozen
class Stage:
    """Where an area is replayed."""

    system: System
    replay: Replay
    users: Mapping[str, User]
    stack: AsyncExitStack


type Prepare = Callable[[Stage], Awaitable[Mapping[str, Event]]]


async def nothing(_stage: Stage) -> Mapping[str, Event]:
    """Nothing has to be there, and nothing happens in between."""
    return {}


@frozen
class Area:
    """A recording; `users` are its users' ids by their letter, `agents` the names of tokens."""

    name: str
    users: Mapping[str, str]
    agents: Mapping[str, str] = {}
    differences: Sequence[Difference] = ()
    prepare: Prepare = nothing

    @property
    def cases(self) -> list[Case]:
        """Its calls in order; what was only redirected then, and changes something now, last."""
        cases = load_cases(self.name)
        return sorted(
            cases, key=lambda case: case.call.method != "GET" and everywhere.is_redirect(case)
        )

    @property
    def all_differences(self) -> list[Difference]:
        """Its own, and those of every area."""
        return [*everywhere.differences(self.cases), *self.differences]


@asynccontextmanager
async def replaying(area: Area, system: System) -> AsyncIterator[Replay]:
    """Everything of an area said and answered."""
    async with AsyncExitStack() as stack:
        users = {
            letter: await stack.enter_async_context(register_user(system.gateway))
            for letter in area.users
        }
        binding = Binding(
            literals={
                RECORDED_GATEWAY: system.gateway,
                RECORDED_KEY: SERVICE_KEY,
                **{f"<token:{letter}>": user.token for letter, user in users.items()},
            },
            words=frozenset(ends_of_aliases(load(area.name))),
            names=dict(area.agents),
            known={id_: users[letter].id for letter, id_ in area.users.items() if id_},
        )
        http = await stack.enter_async_context(
            httpx2.AsyncClient(base_url=system.gateway, timeout=30, verify=False)
        )
        replay = Replay(http, binding, area.all_differences)
        events = await area.prepare(Stage(system, replay, users, stack))
        await replay.run(area.cases, events)
        yield replay
