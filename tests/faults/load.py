"""Users who chat without pause while an installation is broken and mended around them."""

import asyncio
from contextlib import AsyncExitStack, suppress
from random import Random
from uuid import uuid4

import asyncpg
from attrs import define, field

from shared.process.background import background
from tests.faults.front_end import FrontEnd
from tests.faults.installation import Installation
from tests.faults.ledger import SELECT_INACTIVE, Ledger, settle, settle_agents
from tests.faults.plan import plan
from tests.users import User, eventually, register_user

USERS = 40
LISTENERS_EVERY = 4  # of so many users, one has a second socket that only listens
END_SECONDS = 60.0
CATCH_UP_SECONDS = 20.0


@define
class Load:
    """One plan's worth of chats, each user in a session that is new."""

    installation: Installation
    users: list[User]
    seed: int
    faults: list[str] = field(factory=list)
    _is_over: bool = False
    _is_told: bool = False

    async def run(self) -> Ledger:
        """Chat while the plan is carried out; then see what became of every message."""
        speaking = [self._front_end(user, number) for number, user in enumerate(self.users)]
        listening = [
            self._listener(front_end, number)
            for number, front_end in enumerate(speaking)
            if number % LISTENERS_EVERY == 0
        ]
        async with asyncio.TaskGroup() as group:
            talks = [group.create_task(front_end.run()) for front_end in speaking]
            for front_end in listening:
                group.create_task(front_end.run())
            await self._break_everything()
            self._is_over = True
            _, late = await asyncio.wait(talks, timeout=END_SECONDS)
            for task in late:
                task.cancel()
            connection = await self._connect()
            await self._until_told(connection, listening)
            self._is_told = True
            if self.installation.agents:
                await self._until_active(connection)
        ledger = await settle(connection, [*speaking, *listening], self.installation.invoked)
        if self.installation.agents:
            await settle_agents(ledger, connection, self.installation.agents)
        await connection.close()
        return ledger

    async def _break_everything(self) -> None:
        for fault, pause, seconds in plan(self.seed):
            await asyncio.sleep(pause)
            self.faults.append(fault.name)
            await fault.do(self.installation, seconds)
        await asyncio.sleep(1)

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(self.installation.system.settings.database_url)

    async def _until_told(
        self, connection: "asyncpg.Connection[asyncpg.Record]", listening: list[FrontEnd]
    ) -> None:
        """Wait until those who listen know all; those who don't in time show in the ledger."""
        sql = "SELECT last_seq FROM chatconversations WHERE session_id = $1"

        async def holds() -> bool:
            lasts = [await connection.fetchval(sql, each.session_id) for each in listening]
            return lasts == [each.last for each in listening]

        with suppress(AssertionError):
            await eventually(holds, "those who listen were told all", CATCH_UP_SECONDS)

    async def _until_active(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """Wait until all agents are active again; those that are not show in the ledger."""

        async def are_active() -> bool:
            return not await connection.fetchval(SELECT_INACTIVE)

        with suppress(AssertionError):
            await eventually(are_active, "all agents are active", CATCH_UP_SECONDS)

    def _front_end(self, user: User, number: int) -> FrontEnd:
        random = Random(f"{self.seed} {number}")  # noqa: S311
        return FrontEnd(
            user,
            str(uuid4()),
            lambda: self.installation.addresses,
            random,
            lambda: self._is_over,
        )

    def _listener(self, front_end: FrontEnd, number: int) -> FrontEnd:
        random = Random(f"{self.seed} listener {number}")  # noqa: S311
        return FrontEnd(
            front_end.user,
            front_end.session_id,
            front_end.addresses,
            random,
            lambda: self._is_told,
            speaks=False,
        )


async def register_users(stack: AsyncExitStack, installation: Installation) -> list[User]:
    """The users of a load; each with a model config."""

    async def register(number: int) -> User:
        addresses = installation.addresses
        user = await stack.enter_async_context(register_user(addresses[number % len(addresses)]))
        await user.create_config()
        if installation.agents:
            token = (await user.register_agent())["jwt"]
            await stack.enter_async_context(background(agent=installation.agents.keep(token)))
        return user

    return await asyncio.gather(*(register(number) for number in range(USERS)))
