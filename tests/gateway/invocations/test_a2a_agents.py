"""A2A agents, asked themselves through the real gateway, at the SDK's own server and others."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from a2a.helpers import new_data_part, new_text_message, new_text_part
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import (
    create_agent_card_routes,
    create_jsonrpc_routes,
    create_rest_routes,
)
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentInterface, Task, TaskState, TaskStatus
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstack.processes import HOST
from gateway.a2a.calling import ANSWER_BYTES
from tests.gateway.groups.sharing import make_group, share
from tests.gateway.invocations.test_tools import NOWHERE, SECRET, refused
from tests.gateway.outsiders import Outsider, make_card, serving
from tests.gateway.shapes import good
from tests.system import System
from tests.users import User, register_user

type Do = Callable[[RequestContext, TaskUpdater], Any]


class Agent(AgentExecutor):
    """Does what it is told, by a task or by a message alone."""

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        said = context.get_user_input()
        if said == "hello":
            await event_queue.enqueue_event(new_text_message("hello yourself"))
            return
        task_id, context_id = str(context.task_id), str(context.context_id)
        status = TaskStatus(state=TaskState.TASK_STATE_SUBMITTED)
        await event_queue.enqueue_event(Task(id=task_id, context_id=context_id, status=status))
        updater = TaskUpdater(event_queue, task_id, context_id)
        match said:
            case "hang":
                await updater.start_work()
                await asyncio.sleep(3600)
            case "fail":
                await updater.failed(new_text_message("no paint is left"))
            case "ask back":
                await updater.requires_input(new_text_message("which colour?"))
            case _:
                parts = [new_text_part("one"), new_data_part({"a": 1}), new_text_part("two")]
                await updater.add_artifact(parts)
                await updater.complete()

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        raise NotImplementedError


@asynccontextmanager
async def serving_agent(*spoken: tuple[str, str]) -> AsyncIterator[Outsider]:
    """The agent, which is called in these ways; what it still does at the end is ended."""
    async with serving(Starlette()) as outsider:
        card = make_card()
        for binding, version in spoken:
            card.supported_interfaces.append(
                AgentInterface(url=outsider.url, protocol_binding=binding, protocol_version=version)
            )
        handler = DefaultRequestHandler(Agent(), InMemoryTaskStore(), card)
        calls = create_jsonrpc_routes(handler, rpc_url="/", enable_v0_3_compat=True)
        rest = create_rest_routes(handler, enable_v0_3_compat=True)
        outsider.app = Starlette(routes=[*create_agent_card_routes(card), *calls, *rest])
        yield outsider
        await handler.aclose()


async def add(user: User, outsider: Outsider, **others: Any) -> str:
    new = {"server_url": outsider.url, **others}
    id_: str = good(await user.http.post("/api/a2a/agents", json=new))["id"]
    return id_


async def ask(user: User, id_: str, text: str, wait: float = 20) -> Any:
    path = f"/api/a2a/agents/{id_}/send"
    return await user.http.post(path, params={"wait": wait}, json={"text": text})


DIALECTS = [
    (binding, version) for binding in ("JSONRPC", "HTTP+JSON") for version in ("1.0", "0.3")
]


@pytest.mark.parametrize("spoken", DIALECTS, ids=str)
async def test_an_agent_answers_in_every_dialect(user: User, spoken: tuple[str, str]) -> None:
    async with serving_agent(spoken) as outsider:
        id_ = await add(user, outsider)
        answer = good(await ask(user, id_, "paint"))
        assert answer == {"texts": ["one", "two"], "others": 1, "state": "completed"}
        answer = good(await ask(user, id_, "hello"))
        assert answer == {"texts": ["hello yourself"], "others": 0, "state": None}


async def test_states_other_than_done_are_told_with_what_is_said_of_them(user: User) -> None:
    async with serving_agent(DIALECTS[0]) as outsider:
        id_ = await add(user, outsider)
        failed = good(await ask(user, id_, "fail"))
        assert failed == {"texts": ["no paint is left"], "others": 0, "state": "failed"}
        asking = good(await ask(user, id_, "ask back"))
        assert asking == {"texts": ["which colour?"], "others": 0, "state": "input-required"}


async def test_an_agent_that_hangs_is_not_waited_for_longer_than_is_asked(user: User) -> None:
    async with serving_agent(DIALECTS[0]) as outsider:
        id_ = await add(user, outsider)
        detail = refused(await ask(user, id_, "hang", wait=0.5))
        assert detail == (
            f"Could not access A2A agent on: {outsider.url}. It gives no answer within 0.5 seconds"
        )


def calling(answer: Callable[[Request, Any], Response], url: str) -> Starlette:
    """An agent of version 1 of the protocol, whose answers are made so."""
    spoken = [{"url": url, "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}]
    card = {"name": "a", "description": "d", "version": "1", "supportedInterfaces": spoken}

    async def respond(request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse({**card, "skills": []})
        return answer(request, await request.json())

    return Starlette(routes=[Route("/{path:path}", respond, methods=["GET", "POST"])])


def told(asked: Any, **told: Any) -> Response:
    return JSONResponse({"jsonrpc": "2.0", "id": asked["id"], **told})


def task(state: str, **others: Any) -> Any:
    return {"id": "1", "contextId": "1", "status": {"state": f"TASK_STATE_{state}"}, **others}


async def test_a_task_that_goes_on_is_looked_at_until_it_is_done(user: User) -> None:
    looks: list[str] = []

    def answer(_request: Request, asked: Any) -> Response:
        looks.append(asked["method"])
        if asked["method"] == "SendMessage":
            return told(asked, result={"task": task("WORKING")})
        state = "WORKING" if len(looks) < 3 else "COMPLETED"
        artifacts = [{"artifactId": "a", "parts": [{"text": "at last"}]}]
        return told(asked, result=task(state, artifacts=artifacts))

    async with serving(Starlette()) as outsider:
        outsider.app = calling(answer, outsider.url)
        answered = good(await ask(user, await add(user, outsider), "paint"))
    assert answered == {"texts": ["at last"], "others": 0, "state": "completed"}
    assert looks == ["SendMessage", "GetTask", "GetTask"]


async def test_what_goes_wrong_is_told_in_a_sentence(user: User) -> None:
    wrong: dict[str, Callable[[Any], Response]] = {
        f"It answers more than {ANSWER_BYTES} bytes": lambda _: Response("a" * (ANSWER_BYTES + 1)),
        "It does not answer as an A2A agent does": lambda _: JSONResponse([1]),
        "It answers 401 Unauthorized: it wants to know who asks": lambda _: Response("", 401),
        "It answers 403 Forbidden: it wants to know who asks": lambda _: Response("", 403),
        "It refuses what it is asked: too late": lambda asked: told(
            asked, error={"code": -32603, "message": "too late"}
        ),
    }
    async with serving(Starlette()) as outsider:
        outsider.app = calling(lambda *_: Response(), outsider.url)
        id_ = await add(user, outsider)
        for said, make in wrong.items():
            outsider.app = calling(partial(lambda make, _, asked: make(asked), make), outsider.url)
            assert said in refused(await ask(user, id_, "paint"))
    assert "The connection to it fails" in refused(await ask(user, id_, "paint"))


async def test_one_that_speaks_another_way_alone_is_not_asked(user: User) -> None:
    async with serving_agent(("GRPC", "1.0")) as outsider:
        id_ = await add(user, outsider)
        assert "It is called in no way that is spoken here" in refused(await ask(user, id_, "a"))


async def test_it_alone_is_sent_what_it_is_to_be_sent_and_that_is_not_shown(user: User) -> None:
    def answer(request: Request, asked: Any) -> Response:
        parts = [{"text": f"{request.headers.get('x-api-key')} at {HOST}"}]
        message = {"messageId": "1", "role": "ROLE_AGENT", "parts": parts}
        return told(asked, result={"message": message})

    async with serving(Starlette()) as outsider, serving(Starlette()) as elsewhere:
        for there, said in ((outsider, "********"), (elsewhere, "None")):
            outsider.app = elsewhere.app = calling(answer, there.url)
            id_ = await add(user, outsider, headers={"X-Api-Key": SECRET})
            await user.http.patch(f"/api/a2a/agents/{id_}", json={"headers": {"X-Api-Key": SECRET}})
            assert good(await ask(user, id_, "who?"))["texts"] == [f"{said} at {HOST}"]


async def test_members_of_a_group_ask_what_is_shared_with_them(user: User, system: System) -> None:
    async with register_user(system.gateway) as member, serving_agent(DIALECTS[0]) as outsider:
        id_ = await add(user, outsider)
        assert "There is no A2A agent" in refused(await ask(member, id_, "hello"), 404)
        await share(user, await make_group(user, member), "a2a_agent", id_)
        assert good(await ask(member, id_, "hello"))["texts"] == ["hello yourself"]


async def test_what_is_no_question_is_refused(user: User, system: System) -> None:
    assert "'text' must " in refused(await ask(user, NOWHERE, ""), 400)
    assert (await ask(user, NOWHERE, "a", wait=51)).status_code == 422
    assert "There is no A2A agent" in refused(await ask(user, NOWHERE, "a"), 404)
    large = "x" * (system.settings.max_message_bytes + 1)
    assert "What is asked must have at most" in refused(await ask(user, NOWHERE, large), 400)
