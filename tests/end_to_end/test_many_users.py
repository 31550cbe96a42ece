"""Many users at once: everybody gets all of what is theirs, in order, and nothing else."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import pytest

from tests.agents.running import run_master_agent
from tests.end_to_end.crowd import MESSAGES, Crowd, gather_crowd, seal_by_key
from tests.master import run_master
from tests.pooler import run_pooler
from tests.system import Stores, System

SCRIPTED_USERS = 16
USERS_WITH_AGENTS = 6


def start_two_of_each(system: System, **overrides: str) -> System:
    """Two gateways and two bridges."""
    for _ in range(2):
        system.start_gateway(**overrides)
        system.start_bridge(**overrides)
    return system


@pytest.fixture(scope="module")
def two_of_each(module_system: System) -> System:
    """Two gateways and two bridges."""
    return start_two_of_each(module_system)


@contextmanager
def behind_a_pooler(stores: Stores, **changes: str) -> Iterator[System]:
    """The same, of which each has a pool of ten connections."""
    with (
        TemporaryDirectory() as folder,
        run_pooler(Path(folder), stores.postgres, **changes) as pooler,
        stores.system() as system,
    ):
        system.start_router()
        yield start_two_of_each(system, POSTGRES_PORT=str(pooler.port))


@pytest.fixture(scope="module")
def sharing_sessions(stores: Stores) -> Iterator[System]:
    """Two of each behind a pooler in transaction mode, which has few sessions for them."""
    with behind_a_pooler(stores, default_pool_size="5") as system:
        yield system


@pytest.fixture(scope="module")
def passed_on(stores: Stores) -> Iterator[System]:
    """Two of each behind a pooler in session mode."""
    with behind_a_pooler(stores, pool_mode="session", default_pool_size="100") as system:
        yield system


async def gather_scripted(system: System) -> Crowd:
    """Users who are answered by a scripted master agent."""
    async with run_master(system.router_url, seal_by_key) as master:
        crowd = await gather_crowd(system, SCRIPTED_USERS, own_agents=False)
    begun = Counter((call.session_id, call.request_id) for call in master.invocations)
    return attrs.evolve(crowd, begun=begun)


async def gather_with_agents(system: System) -> Crowd:
    """Users who are answered by agents of their own."""
    with run_master_agent(system, "enriched"):
        return await gather_crowd(system, USERS_WITH_AGENTS, own_agents=True)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("system", gather_scripted), id="one of each"),
        pytest.param(("two_of_each", gather_scripted), id="two of each"),
        pytest.param(("two_of_each", gather_with_agents), id="two of each, own agents"),
        pytest.param(("sharing_sessions", gather_scripted), id="pooler in transaction mode"),
        pytest.param(("passed_on", gather_scripted), id="pooler in session mode"),
    ],
)
async def crowd(anyio_backend: str, request: pytest.FixtureRequest) -> Crowd:
    """A crowd at a gateway and a bridge, or at two of each."""
    installation, gather = request.param
    gathered: Crowd = await gather(request.getfixturevalue(installation))
    return gathered


def test_each_socket_gets_every_frame_once_and_in_order(crowd: Crowd) -> None:
    for visit in crowd.visits:
        for frames in visit.sockets:
            assert [frame["seq"] for frame in frames] == [*range(1, crowd.frames_each + 1)]


def test_each_frame_is_of_the_sockets_own_session(crowd: Crowd) -> None:
    for visit in crowd.visits:
        for frame in (frame for frames in visit.sockets for frame in frames):
            of = frame["log"] if frame["type"] == "agent_log" else frame["response"]
            assert of["session_id"] == visit.guest.session_id
            assert any(mark in json.dumps(frame) for mark in visit.guest.marks)


def test_no_frame_shows_anything_of_another_user(crowd: Crowd) -> None:
    marks = {mark: visit.guest for visit in crowd.visits for mark in visit.guest.marks}
    for visit in crowd.visits:
        text = json.dumps(visit.sockets)
        assert {guest.word for mark, guest in marks.items() if mark in text} == {visit.guest.word}


def test_both_sockets_of_a_session_get_the_same(crowd: Crowd) -> None:
    pairs = [visit.sockets for visit in crowd.visits if len(visit.sockets) > 1]
    assert pairs
    for one, other in pairs:
        assert one == other


def test_each_question_gets_its_own_answer(crowd: Crowd) -> None:
    for visit in crowd.visits:
        guest = visit.guest
        asked = {
            item["request_id"]: item["content"]
            for item in visit.history
            if item["sender_type"] == "user"
        }
        answered = {each["request_id"]: each["response"]["response"] for each in visit.responses}
        expected = {guest.question(n): guest.answer(n) for n in range(1, MESSAGES + 1)}
        assert {asked[request]: text for request, text in answered.items()} == expected
        assert all(each["is_success"] for each in visit.responses)


def test_answers_come_in_the_order_of_the_requests(crowd: Crowd) -> None:
    for visit in crowd.visits:
        answered = [response["request_id"] for response in visit.responses]
        assert answered == [row["id"] for row in visit.request_rows]


def test_the_master_agent_is_invoked_once_for_each_request(crowd: Crowd) -> None:
    requests = {
        (visit.guest.session_id, row["id"]) for visit in crowd.visits for row in visit.request_rows
    }
    assert len(requests) == MESSAGES * len(crowd.visits)
    assert crowd.begun == dict.fromkeys(requests, 1)


def test_each_request_has_the_same_number_of_log_entries(crowd: Crowd) -> None:
    for visit in crowd.visits:
        per_request = Counter(log["request_id"] for log in visit.live_logs)
        assert per_request == {row["id"]: crowd.logs_each for row in visit.request_rows}


def test_the_log_rows_are_what_the_sockets_got(crowd: Crowd) -> None:
    names = ("request_id", "agent_id", "creator_id", "log_level", "message")
    for visit in crowd.visits:
        shown = [
            {"seq": frame["seq"]} | {name: frame["log"][name] for name in names}
            for frame in visit.frames
            if frame["type"] == "agent_log"
        ]
        assert visit.log_rows == shown
        assert visit.logs == visit.live_logs


def test_the_request_rows_are_what_the_sockets_got(crowd: Crowd) -> None:
    for visit in crowd.visits:
        shown = [
            {
                "id": frame["response"]["request_id"],
                "creator_id": visit.guest.user.id,
                "status": "answered",
                "seq": frame["seq"],
            }
            for frame in visit.frames
            if frame["type"] == "agent_response"
        ]
        assert visit.request_rows == shown


def test_the_chat_rows_are_the_questions_and_their_answers(crowd: Crowd) -> None:
    for visit in crowd.visits:
        stored = [
            (row["request_id"], json.loads(row["content"]))
            for row in visit.chat_rows
            if row["sender_type"] == "master_agent"
        ]
        assert stored == [(each["request_id"], each["response"]) for each in visit.responses]
        questions = [row["content"] for row in visit.chat_rows if row["sender_type"] == "user"]
        assert sorted(questions) == [visit.guest.question(n) for n in range(1, MESSAGES + 1)]
