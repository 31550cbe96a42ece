"""How many runs a user may have, and what becomes of those whose front-ends take nothing."""

import asyncio
import json
import signal
from urllib.parse import urlsplit
from uuid import uuid4

from gateway.agui.routes import LEAVES
from gateway.streams.asking import TOO_MANY_REQUESTS
from tests.agent_bridge.actors import until_invoked
from tests.agent_bridge.stored import execute
from tests.agui import make_input, refused, run, running, say
from tests.gateway.agui.front_end import FrontEnd, check_run
from tests.gateway.bounded import (
    LARGE,
    bounded_system,
    own_master,
    own_user,
    statuses,
    until_idle,
    until_statuses,
    wait,
)
from tests.master import Invocation, Master, answer
from tests.system import System
from tests.users import Json, User, eventually

own_system, user, master = bounded_system, own_user, own_master  # fixtures

TOO_MANY_STREAMS = "You have too many open sockets and streams"


async def test_one_run_too_many_is_refused_and_kept_nowhere(
    own_system: System, user: User, master: Master
) -> None:
    master.behave = wait
    async with running(user, make_input(say("one"))) as stream:
        assert (await anext(stream))["type"] == "RUN_STARTED"
        thread = str(uuid4())
        answered = await user.http.post("/ag-ui", json=make_input(say("two"), thread=thread))
        assert (answered.status_code, answered.headers["retry-after"]) == (429, "1")
        assert answered.json() == {"detail": TOO_MANY_REQUESTS}
    assert (await user.http.get("/api/chat", params={"session_id": thread})).json()["items"] == []
    await until_statuses(own_system, user, "cancelled")


async def test_one_stream_too_many_is_refused_before_anything_is_asked(
    own_system: System, user: User
) -> None:
    async with user.chat(), user.chat():
        assert await refused(user, make_input(say("hello"))) == (429, TOO_MANY_STREAMS)
    assert statuses(own_system, user) == []


async def test_who_leaves_at_once_leaves_nothing_that_runs(
    own_system: System, user: User, master: Master
) -> None:
    master.behave = wait
    for _ in range(5):
        async with running(user, make_input(say("hello"))):
            pass

        async def have_ended() -> bool:
            return set(statuses(own_system, user)) <= {"cancelled"}

        await eventually(have_ended, "the request was cancelled")
    async with user.chat(), user.chat():  # each of the streams has made room
        pass


async def test_who_takes_nothing_is_cut_off_and_the_answer_is_kept(
    own_system: System, user: User, master: Master
) -> None:
    async def behave(_: Invocation) -> Json:
        return answer(LARGE)

    master.behave = behave
    thread = str(uuid4())
    message = say("hello")
    writer = await post_and_read_nothing(own_system, user, make_input(message, thread=thread))
    await until_statuses(own_system, user, "answered")
    master.behave = wait
    await until_idle(own_system)
    front_end = FrontEnd()
    front_end.apply(await run(user, message, thread=thread))
    assert front_end.answers == [LARGE]
    writer.transport.abort()


async def post_and_read_nothing(system: System, user: User, given: Json) -> asyncio.StreamWriter:
    address = urlsplit(system.gateway)
    _, writer = await asyncio.open_connection(address.hostname, address.port, limit=1)
    body = json.dumps(given).encode()
    head = (
        f"POST /ag-ui HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {user.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    return writer


async def test_a_gateway_that_goes_down_waits_then_says_so_and_the_run_goes_on(
    own_system: System, user: User, master: Master
) -> None:
    released = asyncio.Event()

    async def behave(_: Invocation) -> Json:
        await released.wait()
        return answer("late")

    master.behave = behave
    leaving = own_system.start_gateway(DRAIN_GRACE="0", DRAIN_TIMEOUT="1")
    given = make_input(say("hello"))
    url = own_system.gateways.pop()
    async with user.http.stream("POST", f"{url}/ag-ui", json=given) as response:
        await until_invoked(master)
        leaving.process.send_signal(signal.SIGTERM)
        lines = [line async for line in response.aiter_lines() if line.startswith("data: ")]
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert events[-1] == {"type": "RUN_ERROR", "message": LEAVES, "code": "restarting"}
    check_run(events)
    released.set()
    async with running(user, given) as stream:
        front_end = FrontEnd()
        front_end.apply([event async for event in stream])
    assert front_end.answers == ["late"]
    assert len(master.invocations) == 1
    execute(own_system, "DELETE FROM requests WHERE creator_id = %s", user.id)
