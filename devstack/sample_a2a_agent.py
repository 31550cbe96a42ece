"""A sample A2A agent, which begins a text with a greeting."""

import re

from a2a.helpers import new_text_message
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, AgentSkill
from starlette.applications import Starlette

HOUR = re.compile(r"\b(\d+):\d\d ([ap])\.m\.")
EVENING = 6  # p.m.


class Greeter(AgentExecutor):
    """Answers each message at once."""

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Greet, and say what is in the message."""
        text = context.get_user_input()
        await event_queue.enqueue_event(new_text_message(f"{greeting_for(text)} {text}"))

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        """It is done before anybody can ask for that."""


def greeting_for(text: str) -> str:
    """The greeting for the first time of the day in a text, or for any."""
    match HOUR.search(text):
        case None:
            return "Hello!"
        case found if found[2] == "a":
            return "Good morning!"
        case found:
            return "Good evening!" if EVENING <= int(found[1]) < 12 else "Good afternoon!"  # noqa: PLR2004


def make_agent(url: str) -> Starlette:
    """The agent, which is called at this URL, by either version of the protocol."""
    card = AgentCard(
        name="Greeter",
        description="Begins a text with a greeting",
        version="1.0.0",
        capabilities=AgentCapabilities(),
        default_input_modes=["text/plain"],
        default_output_modes=["text/plain"],
        skills=[
            AgentSkill(
                id="greet",
                name="greet",
                description="Good morning, or what else befits the hour that the text names",
                tags=["text"],
            )
        ],
        supported_interfaces=[
            AgentInterface(url=url, protocol_binding="JSONRPC", protocol_version=version)
            for version in ("1.0", "0.3")
        ],
    )
    handler = DefaultRequestHandler(Greeter(), InMemoryTaskStore(), card)
    calls = create_jsonrpc_routes(handler, rpc_url="/", enable_v0_3_compat=True)
    return Starlette(routes=[*create_agent_card_routes(card), *calls])
