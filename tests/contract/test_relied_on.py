"""The walk of the list of what the front-end relies on, item by item."""

import httpx2
import pytest

from tests.contract.cases import load
from tests.contract.relied_on import chat, pages
from tests.contract.relied_on.browser import CHECKS, Browser, Check
from tests.master import run_master
from tests.system import System
from tests.users import User

REGISTERED = [chat, pages]  # by being imported

RELIED_ON: list[str] = load("frontend-journey")["relied_on"]


def check_of(item: str) -> Check:
    """The check of an item; there is exactly one, the one with the longest beginning."""
    fitting = [name for name in CHECKS if item.startswith(name)]
    return CHECKS[max(fitting, key=len)]


def test_every_check_is_of_one_item() -> None:
    assert {check_of(item) for item in RELIED_ON} == set(CHECKS.values())


@pytest.mark.parametrize("item", RELIED_ON, ids=[item[:40] for item in RELIED_ON])
async def test_what_the_front_end_relies_on_holds(
    system: System, member: User, visitor: httpx2.AsyncClient, item: str
) -> None:
    async with run_master(system.router_url) as master:
        await check_of(item)(Browser(system, member, visitor, master))
