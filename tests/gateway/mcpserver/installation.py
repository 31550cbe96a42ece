"""Two gateways with low bounds that know their address, and a user of theirs who speaks MCP."""

from collections.abc import Iterator

import pytest

from tests.master import Invocation, Master, answer
from tests.parts import Dictation
from tests.system import Stores, System
from tests.users import Json

MOST_OPEN, MOST_STREAMS = 3, 3
PUBLIC_URL = "https://agents.example/genai"
ORIGIN = "https://pages.example"


@pytest.fixture(scope="module")
def own_system(stores: Stores) -> Iterator[System]:
    with stores.system(
        SOCKETS_PER_USER=str(MOST_STREAMS),
        OPEN_REQUESTS_PER_USER=str(MOST_OPEN),
        PUBLIC_URL=PUBLIC_URL,
        BACKEND_CORS_ORIGINS=f'["{ORIGIN}"]',
    ) as system:
        system.start_router()
        system.start_gateway()
        system.start_gateway()
        system.start_bridge()
        yield system


@pytest.fixture
def dictation(own_master: Master) -> Dictation:
    """Says what a test dictates."""
    dictation = Dictation()
    own_master.behave = dictation.behave
    return dictation


async def say_at_once(_: Invocation) -> Json:
    """Answer."""
    return answer("at once")
