"""Running the work of a command, and ending with the exit code of what kept it from that."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import typer

from gateway.admin.faults import AdminError, UsageError
from gateway.admin.output import printable, tell

if TYPE_CHECKING:
    from databases.core import Connection

    from gateway.admin.work.installation import Installation
    from shared.settings.gateway import GatewaySettings


def ask[T](select: Callable[["Connection"], Awaitable[T]]) -> T:
    """What PostgreSQL is asked for; else the command ends here."""

    async def work(on: "Installation") -> T:
        async with on.connection() as connection:
            return await select(connection)

    return run(work)


def run[T](work: Callable[["Installation"], Awaitable[T]]) -> T:
    """What the work gives; else the command ends here."""
    from gateway.admin.work.installation import open_installation

    async def opened(settings: "GatewaySettings") -> T:
        async with open_installation(settings) as installation:
            return await work(installation)

    return run_anyhow(opened)


def run_anyhow[T](work: Callable[["GatewaySettings"], Awaitable[T]]) -> T:
    """The same for work that goes on where PostgreSQL is away."""
    try:
        return asyncio.run(_with_settings(work))
    except AdminError as error:
        tell(printable(str(error)))
        raise typer.Exit(error.code) from None


async def _with_settings[T](work: Callable[["GatewaySettings"], Awaitable[T]]) -> T:
    from shared.settings.gateway import GatewaySettings
    from shared.settings.reading import SettingsError, load_settings

    try:
        settings = load_settings(GatewaySettings)
    except SettingsError as error:
        raise UsageError(f"The settings are not complete: {error}.") from None
    return await work(settings)


def confirm(question: str, *, yes: bool) -> None:
    """Go on where it is meant; else the command ends here, and nothing is done."""
    if yes:
        return
    if not sys.stdin.isatty():
        tell(f"{question} Nobody can be asked here: say --yes.")
        raise typer.Exit(UsageError.code)
    if not typer.confirm(question, err=True):
        tell("Nothing was done.")
        raise typer.Exit(AdminError.code)
