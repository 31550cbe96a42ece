"""What has to be there before an area is replayed, and what happens elsewhere in between."""

import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import jwt

from tests.agent_bridge.actors import connected_agent, until_active, until_inactive
from tests.contract.areas import Stage
from tests.contract.binding import NOBODY
from tests.contract.intended.agents import PARAMETERS
from tests.contract.replay import Event
from tests.contract.strangers import add_card, add_tools
from tests.master import Invocation, answer, run_master
from tests.users import Json, User


def live_schema(description: str) -> Json:
    """What an agent says of itself; its name there is not what it goes by."""
    function = {"name": "sent", "description": description, "parameters": PARAMETERS}
    return {"type": "function", "function": function}


def sign(secret_key: str, claims: dict[str, Any], **options: str) -> str:
    """A token like ours."""
    key = options.get("key", secret_key)
    algorithm = options.get("algorithm", "HS256")
    return jwt.encode(claims, "" if algorithm == "none" else key, algorithm)


def bad_tokens(secret_key: str, user_id: str) -> dict[str, str]:
    """The recordings' tokens that are not as they should be."""
    now = int(time.time())
    good = {"sub": user_id, "exp": now + 3600}
    agent_of_nobody = {"sub": NOBODY, "exp": 1795368101, "user_id": NOBODY}
    text = str(agent_of_nobody).replace("'", '"')
    return {
        "<token:A expired>": sign(secret_key, {**good, "exp": now - 3600}),
        "<token:A signed with another key>": sign(secret_key, good, key="k" * 32),
        "<token:of a user that does not exist>": sign(secret_key, {**good, "sub": str(uuid4())}),
        "<token:sub is no uuid>": sign(secret_key, {**good, "sub": "abc"}),
        "<token:without sub>": sign(secret_key, {"exp": now + 3600}),
        "<token:A without exp>": sign(secret_key, {"sub": user_id}),
        "<token:A, alg none, empty signature>": sign(secret_key, good, algorithm="none"),
        "<token:A, HS512>": sign(secret_key, good, algorithm="HS512", key="k" * 64),
        "<token:A, nbf in the future>": sign(secret_key, {**good, "nbf": now + 3000}),
        "<token:A, iat in the future>": sign(secret_key, {**good, "iat": now + 3000}),
        "<token:A, with aud>": sign(secret_key, {**good, "aud": "somebody"}),
        f'<JWT {{"alg": "HS256", "typ": "JWT"}} {text}>': sign(
            secret_key, {**agent_of_nobody, "exp": now + 3600}
        ),
    }


async def users(stage: Stage) -> Mapping[str, Event]:
    """Nobody is there: A registers, and only then has tokens and an agent."""
    binding = stage.replay.binding

    async def have_tokens() -> None:
        user_id = binding.known["c2c89ef0-be88-41d6-be5d-2528a8ff8657"]
        binding.literals |= bad_tokens(stage.system.settings.secret_key, user_id)

    async def have_agent() -> None:
        new = {"name": "auth_agent", "description": "d", "input_parameters": {}}
        headers = {"Authorization": f"Bearer {binding.literals['<token:A>']}"}
        agent = await stage.replay.http.post("/api/agents/register", json=new, headers=headers)
        binding.literals["<token:agent of A>"] = agent.json()["jwt"]

    return {
        "auth: valid token": have_tokens,
        "auth: agent token where a user token is asked for": have_agent,
    }


async def agents(stage: Stage) -> Mapping[str, Event]:
    """Only tokens that are good for nothing."""
    stage.replay.binding.literals |= bad_tokens(
        stage.system.settings.secret_key, stage.users["A"].id
    )
    return {}


async def files(stage: Stage) -> Mapping[str, Event]:
    """A has an agent and a chat with one request."""
    user, binding = stage.users["A"], stage.replay.binding
    agent = await user.register_agent("keeper", "keeps")
    binding.literals["<token:agent of A>"] = agent["jwt"]
    await stage.stack.enter_async_context(run_master(stage.system.router_url))
    await user.create_config()
    session_id, request_id = await ask(user, "hello")
    session_2, request_2 = await ask(user, "again")
    session_3, _ = await ask(user, "once more")
    binding.known |= {
        "ae6ea02c-2bea-491f-aadc-aa6e7266cc9c": session_id,
        "4c835596-46dd-40b8-aae5-87ef72098de9": request_id,
        "9a9b0b75-98a3-4312-a982-7cafb9ed5e0f": session_2,
        "ea837f0d-82d1-467c-bbeb-29129823d306": request_2,
        "f12ea969-2033-4526-bf22-a7942206596c": session_3,
    }

    async def lose_file() -> None:
        id_ = binding.known["a2c8b4bb-026b-453d-b292-f7aed3645946"]
        [file] = stage.system.files.glob(f"{id_}*")
        file.unlink()

    async def upload_without_request() -> None:
        file, form = {"file": ("f.txt", b"f")}, {"session_id": session_3}
        uploaded = await user.http.post("/files", files=file, data=form)
        assert uploaded.status_code == 201, uploaded.text

    return {
        "download: metadata exists, file is gone from disk": lose_file,
        "by session: a file of it has no request_id": upload_without_request,
    }


async def ask(user: User, message: str) -> tuple[str, str]:
    """Have a message answered in a new chat; its session and request."""
    async with user.chat() as chat:
        answered = await chat.ask(message)
    return chat.session_id, answered["response"]["request_id"]


async def logs(stage: Stage) -> Mapping[str, Event]:
    """A asked a master agent that logs what the recorded one did, its input first."""
    user, binding = stage.users["A"], stage.replay.binding
    binding.literals["<token:agent wsagent>"] = (await user.register_agent())["jwt"]
    await user.create_config(api_key="sk-secret")

    async def behave(invocation: Invocation) -> object:
        await invocation.log('{"api_key": "sk-secret"}')
        await invocation.log("stub warning message", "warning")
        await invocation.log("stub info message")
        await invocation.log("stub critical message", "critical")
        await invocation.log('{"a": 1, "nested": {"b": [1, 2]}}')
        await invocation.log("stub debug message", "debug")
        await invocation.log("stub error message", "error")
        await invocation.log('{"response": "echo: log please"}')
        return answer("echo: log please")

    await stage.stack.enter_async_context(run_master(stage.system.router_url, behave))
    session_id, request_id = await ask(user, "log please")
    binding.known["2ba192d8-8522-4f20-a680-fb5a429909fe"] = session_id
    binding.known["819b632b-1161-43ef-af32-67c4aebc790b"] = request_id
    return {}


G1 = "38b0f46f-65c4-415c-947a-b89739cf24aa"
G2 = "9c9e4a89-41bf-4031-963e-43308c96a10e"
G3 = "a67d9645-2beb-4212-af3e-42ceadd9a606"
GB = "bee820d4-717e-4f3f-bd3e-9be3510dbdc0"


async def flows(stage: Stage) -> Mapping[str, Event]:
    """Agents G1 and G2 of A are connected, G3 is not, GB of B is; A has tools and a card."""
    a, b = stage.users["A"], stage.users["B"]
    first = await stage.stack.enter_async_context(AsyncExitStack())
    await _connect(stage, a, G1, "G1", "g1", "first live", first)
    await _connect(stage, a, G2, "G2", "renamed by the agent", "second live", stage.stack)
    g3 = await a.register_agent("g3", "third")
    _bind_agent(stage, G3, "G3", g3)
    await _connect(stage, b, GB, "GB", "gb", "of B", stage.stack)
    await add_tools(stage)
    await add_card(stage)
    id_ = stage.replay.binding.known[G1]

    async def leave() -> None:
        await first.aclose()
        await until_inactive(a, id_)

    async def come_back() -> None:
        token = stage.replay.binding.literals["<token:agent G1>"]
        agent = await stage.stack.enter_async_context(connected_agent(stage.system, token))
        await agent.register("g1", "first live", live_schema("first live"))
        await until_active(a, id_)

    return {
        "get: after agent G1 went away": leave,
        "get: after agent G1 came back": come_back,
    }


async def _connect(
    stage: Stage,
    user: User,
    recorded: str,
    label: str,
    name: str,
    description: str,
    stack: AsyncExitStack,
) -> None:
    """Register an agent and have it connect until the stack is closed."""
    registered = await user.register_agent(label)
    _bind_agent(stage, recorded, label, registered)
    agent = await stack.enter_async_context(connected_agent(stage.system, registered["jwt"]))
    await agent.register(name, description, live_schema(description))
    await until_active(user, registered["id"])


def _bind_agent(stage: Stage, recorded: str, label: str, agent: Json) -> None:
    stage.replay.binding.known[recorded] = agent["id"]
    stage.replay.binding.literals[f"<token:agent {label}>"] = agent["jwt"]
