"""Whatever the router sends, no loop ends, and what follows is heard."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID, uuid4

import pytest
from attrs import define, field
from hypothesis import HealthCheck, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from agent_bridge.agents.registry import Registry
from agent_bridge.intake.entries import Entries
from agent_bridge.intake.inbox import AgentInbox
from agent_bridge.requests.ending import outcome_of
from agent_bridge.router import skipped
from agent_bridge.router.frames import (
    MASTER_SERVER_ML,
    UNREGISTERED,
    AgentLogged,
    AgentRegistered,
    Departure,
    FlushMarkerArrived,
    ProbeArrived,
    Rejection,
    Reply,
    echo_frame,
    parse_error,
    parse_lane_frame,
    parse_session_frame,
)
from agent_bridge.router.lanes import LaneLostError, open_lane
from agent_bridge.router.session import AgentEvent, FlushMarker, LogEvent, RouterSession
from devstack.processes import HOST
from devstack.router import RouterServer
from devstack.routing import BACK_END, Keys, Router
from shared.codec.text import write_json
from shared.postgres.pool import create_database
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from shared.telemetry import seldom
from tests.agent_bridge.actors import ANSWER_SECONDS
from tests.agent_bridge.router.any_frame import ANY_FRAME, AWKWARD, Raw
from tests.system import BE_KEY, ML_KEY, make_secrets
from tests.users import eventually

TERM = uuid4()
SHARED = examples(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class QuietRegistry(Registry):
    """Tells nobody that he is refused."""

    def refuse(self, agent_uuid: str, message: str) -> None:
        """Tell nobody."""


@define
class Heard:
    """What the bridge has heard, kept as it keeps it until PostgreSQL takes it."""

    agents: AgentInbox
    entries: Entries = field(factory=lambda: Entries(0))
    messages: list[str] = field(factory=list)

    def put(self, event: AgentEvent) -> None:
        self.agents.put(TERM, event)

    def put_log(self, event: LogEvent) -> None:
        if not isinstance(event, FlushMarker):
            self.entries.put(event)
            self.messages.append(event.message)


def hear_nothing(settings: Settings) -> Heard:
    return Heard(AgentInbox(QuietRegistry(settings, create_database(settings))))


@examples(SHARED, max_examples=400)
@given(frame=ANY_FRAME)
def test_whatever_comes_is_read_without_a_fault_and_can_be_stored(frame: Raw) -> None:
    parse_error(frame)
    match parse_session_frame(frame):
        case ProbeArrived() | FlushMarkerArrived() as arrived:
            echo_frame(arrived)
        case AgentLogged() as logged:
            assert "\0" not in logged.message + logged.log_level
            (logged.message + logged.log_level).encode()
        case AgentRegistered() as agent:
            assert "\0" not in agent.name + agent.description
            (agent.name + agent.description).encode()
            assert b"\\u0000" not in write_json(agent.input_schema).replace(b"\\\\", b"")
    match parse_lane_frame(frame):
        case Reply() | Rejection() as reply:
            write_json(outcome_of(reply).answer)


@define
class Stand:
    """A router in this process, and what it is to send."""

    settings: Settings
    server: RouterServer

    async def send(self, frame: Raw, *, is_text: bool | None = None) -> None:
        """Send any frame to who holds the session."""
        [session] = [
            outbox.connection
            for peer, outbox in self.server.outboxes.items()
            if peer.key == BACK_END
        ]
        await session.send(frame, text=is_text)


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    server = RouterServer(Router(Keys(BE_KEY, ML_KEY)))
    async with serve(server.handle, HOST, 0, compression=None) as listening:
        port = listening.sockets[0].getsockname()[1]
        url = {"ROUTER_WS_URL": f"ws://{HOST}:{port}/ws"}
        yield Stand(read_settings({**make_secrets(), **url}, Settings), server)


@asynccontextmanager
async def holding(stand: Stand, heard: Heard) -> AsyncIterator[asyncio.Task[None]]:
    """Hold the router session; it has heard itself."""
    held = asyncio.Event()

    async def on_held() -> None:
        held.set()

    session = RouterSession(stand.settings, heard.put_log)
    task = asyncio.create_task(session.hold(heard.put, on_held))
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await held.wait()
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def heard(stand: Stand) -> AsyncIterator[Heard]:
    """What a held session hears."""
    heard = hear_nothing(stand.settings)
    async with holding(stand, heard) as task:
        yield heard
        assert not task.done()


def skipped_frames(connection: str) -> float:
    name = "genai_router_frames_skipped_total"
    return REGISTRY.get_sample_value(name, {"connection": connection}) or 0.0


def log_frame(message: str) -> str:
    ids = {"agent_uuid": str(UUID(int=1)), "session_id": "s", "request_id": "r"}
    payload = {"message_type": "agent_log", "log_level": "info", "log_message": message, **ids}
    return json.dumps({"request_payload": payload})


@examples(SHARED, max_examples=60)
@given(frames=st.lists(ANY_FRAME, min_size=1, max_size=8))
@example(frames=AWKWARD)
async def test_the_session_goes_on_and_hears_what_comes_between(
    stand: Stand, heard: Heard, frames: list[Raw]
) -> None:
    before, begun = skipped_frames("session"), len(heard.messages)
    marks = [f"mark {uuid4()}" for _ in frames]
    for frame, mark in zip(frames, marks, strict=True):
        await stand.send(frame)
        await stand.send(log_frame(mark))

    async def has_heard_all() -> bool:
        return marks[-1] in heard.messages[begun:]

    await eventually(has_heard_all, "what follows is heard")
    assert [each for each in heard.messages[begun:] if each in marks] == marks
    unknown = sum(parse_session_frame(frame) is None for frame in frames)
    assert skipped_frames("session") - before == unknown


async def test_a_frame_that_is_no_utf_8_costs_the_connection_and_no_more(stand: Stand) -> None:
    heard = hear_nothing(stand.settings)
    for _ in range(2):
        async with holding(stand, heard) as task:
            await stand.send(b"\xff\xff", is_text=True)
            async with asyncio.timeout(ANSWER_SECONDS):
                await task  # raises nothing: it was held


@asynccontextmanager
async def answering(frames: list[Raw]) -> AsyncIterator[Settings]:
    """A router that sends these to whoever invokes."""

    async def serve_frames(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):  # by a lane that has heard enough
            await connection.recv()
            for frame in frames:
                await connection.send(frame)
            await connection.wait_closed()

    async with serve(serve_frames, HOST, 0, compression=None) as listening:
        port = listening.sockets[0].getsockname()[1]
        url = {"ROUTER_WS_URL": f"ws://{HOST}:{port}/ws"}
        yield read_settings({**make_secrets(), **url}, Settings)


def decide(frames: list[Raw]) -> Reply | Rejection | None:
    """What a lane makes of these: the first decides that is not about somebody else's end."""
    for frame in map(parse_lane_frame, frames):
        if not isinstance(frame, Departure):
            return frame
        if frame.agent_uuid == MASTER_SERVER_ML:
            return Rejection(UNREGISTERED, 0.0)
    raise AssertionError("the last of them is an answer")


@examples(SHARED, max_examples=80)
@given(frames=st.lists(ANY_FRAME, max_size=3))
@example(frames=AWKWARD)
@example(frames=[b"\xff"])
async def test_a_lane_gives_what_was_answered_first_or_is_lost(frames: list[Raw]) -> None:
    frames = [*frames, '{"message_type": "agent_response", "response": "good"}']
    expected, before = decide(frames), skipped_frames("lane")
    async with answering(frames) as settings:
        lane = await open_lane(settings, MASTER_SERVER_ML)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await lane.invoke(MASTER_SERVER_ML, {})
        except LaneLostError:
            answer = None
        finally:
            await lane.close()  # raises what its reader raised
    assert answer == expected
    assert lane.is_clean is False
    if expected is None:
        assert skipped_frames("lane") == before + 1


def test_what_is_skipped_is_logged_once_a_second(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", skipped.__name__)
    seldom._kinds.clear()
    for _ in range(1000):
        skipped.skip("session")
    [record] = caplog.records
    assert record.getMessage().startswith("the router sent a frame of no known form")
