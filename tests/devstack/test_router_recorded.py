"""The stand-in router against frames recorded with the real one."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import jwt
import pytest
from attrs import define, field
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server
from websockets.exceptions import ConnectionClosed

from devstack.router import start_router
from devstack.routing import Keys

from .router_client import receive, token_of, url_of

RECORDING: list[Any] = json.loads(Path(__file__).with_name("recorded_router.json").read_text())
KEYS = Keys(
    "7a3fd399-3e48-46a0-ab7c-0eaf38020283::master_server_be",
    "e1adc3d8-fca1-40b2-b90a-7b48290f2d6a::master_server_ml",
)
TOKENS = {  # the recording has labels
    "<token:agent one>": token_of("8da86215-0b08-4876-8267-06b7bd2bc819"),
    "<token:agent two>": token_of("5ea0b8c6-ee24-459e-acc7-5992fa9e9ce6"),
    "<token:forged, unknown agent>": token_of("00000000-0000-4000-8000-000000000000"),
    '<JWT {"alg": "HS256", "typ": "JWT"} {"x": 1}>': jwt.encode({"x": 1}, "anything" * 4),
}


@define
class Replay:
    """The recorded connections, made again one by one."""

    url: str
    stack: AsyncExitStack
    connections: dict[int, ClientConnection] = field(factory=dict, init=False)

    async def play(self, number: int, event: str, value: Any) -> None:
        """Do what the clients did, and compare what the router does."""
        match event:
            case "open":
                await self.open(number, value)
            case "->router":
                await self.connections[number].send(as_sent(value))
            case "<-router":
                assert await receive(self.connections[number]) == with_tokens(value)
            case "close":
                await self.close(number, value)

    async def open(self, number: int, headers: dict[str, str]) -> None:
        connecting = connect(self.url, additional_headers=with_tokens(headers))
        self.connections[number] = await self.stack.enter_async_context(connecting)

    async def close(self, number: int, code: str | int) -> None:
        if code == "peer":
            await self.connections[number].close()
            return
        with pytest.raises(ConnectionClosed):
            await self.connections[number].recv()
        assert self.connections[number].close_code == code


def as_sent(frame: Any) -> str | bytes:
    match frame:
        case {"text": text}:
            return str(text)
        case {"binary frame": digits}:
            return bytes.fromhex(digits)
    return json.dumps(with_tokens(frame))


def with_tokens(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: with_tokens(entry) for name, entry in value.items()}
    return TOKENS.get(value, value) if isinstance(value, str) else value


@pytest.fixture
async def recorded_router() -> AsyncIterator[Server]:
    async with await start_router(KEYS, port=0) as server:
        yield server


async def test_every_recorded_frame_is_answered_as_the_real_router_did(
    recorded_router: Server,
) -> None:
    async with AsyncExitStack() as stack:
        replay = Replay(url_of(recorded_router), stack)
        for case in RECORDING:
            for step in case["steps"]:
                try:
                    await replay.play(*step)
                except (AssertionError, TimeoutError) as fault:
                    fault.add_note(f"{case['case']}: {step}")
                    raise
