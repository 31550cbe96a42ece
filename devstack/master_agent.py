"""A stand-in for the master agent: `python -m devstack.master_agent --contract enriched|lookup`.

It has no language model: words decide which agent it calls, through the door by which it came in.
It tells its answer as if one made it.
"""

import asyncio
import json
import logging
import os
import re
import sys
from argparse import ArgumentParser
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import batched
from time import perf_counter
from typing import Any

import aiohttp
from attrs import field, frozen
from genai_session.session import GenAISession
from genai_session.utils.context import GenAIContext
from genai_session.utils.logging_manager import ContextLogger
from websockets.exceptions import WebSocketException

from devstack.agent_session import log_now, run_agent, stay_connected
from devstack.choosing import Candidate, arguments_for, candidate_from, choose

NAME = "MasterAgent"
MODEL = "words"  # nobody has a price for it
DESCRIPTION = "Answers a chat by calling the agent that fits the message"
CALL_SECONDS = 300.0
PARTS = 100  # of an answer, at most; a part is a word where that is enough
PART_SECONDS = 0.03

type Answer = dict[str, Any]
type Handler = Callable[..., Awaitable[Answer]]


@frozen
class Addresses:
    """Whom the master agent talks to, and with which keys."""

    router_url: str
    gateway_url: str
    master_agent_key: str = field(repr=False)
    service_key: str = field(repr=False)


@frozen
class Call:
    """One request as it came in.

    Taken from the context before the first await: the library has one context for all
    requests and writes the ids of the next one over those of this one.
    """

    logger: ContextLogger
    addresses: Addresses
    request_id: str
    session_id: str

    @classmethod
    def of(cls, context: GenAIContext, addresses: Addresses) -> "Call":
        """The call that the context describes at this moment."""
        return cls(context.logger, addresses, context.request_id, context.session_id)

    async def log(self, level: str, message: str) -> None:
        """Log into this call's session."""
        await log_now(self.logger, level, message)


def enriched_handler(addresses: Addresses) -> Handler:
    """The handler of a master agent that is given all it needs."""

    async def answer_enriched(
        agent_context: GenAIContext, message: Any, agents: Any, configs: Any, files: Any
    ) -> Answer:
        del configs, files  # a language model's affair
        call = Call.of(agent_context, addresses)
        return await answer(call, str(message), map(candidate_from, agents or ()))

    return answer_enriched


def lookup_handler(addresses: Addresses) -> Handler:
    """The handler of a master agent that asks the REST API for the chat and the agents."""

    async def answer_lookup(
        agent_context: GenAIContext,
        session_id: Any,
        user_id: Any,
        configs: Any,
        files: Any,
        timestamp: Any,
    ) -> Answer:
        del configs, files, timestamp
        call = Call.of(agent_context, addresses)
        try:
            message, agents = await look_up(call, addresses, session_id, user_id)
        except (aiohttp.ClientError, TimeoutError, LookupError) as fault:
            return await fail(call, [], f"The chat cannot be looked up: {fault}")
        return await answer(call, message, map(candidate_from, agents))

    return answer_lookup


async def look_up(
    call: Call, addresses: Addresses, session_id: str, user_id: str
) -> tuple[str, list[dict[str, Any]]]:
    """The message of this request and what may be called for it, both from the gateway."""
    headers = {"x-api-key": addresses.service_key}
    chat_query = {"session_id": session_id, "user_id": user_id, "per_page": "50"}
    agents_query = {"user_id": user_id, "agent_type": "all", "limit": "1000"}
    async with aiohttp.ClientSession(addresses.gateway_url, headers=headers) as http:
        async with http.get("/api/chat", params=chat_query) as response:
            response.raise_for_status()
            chat = await response.json()
        async with http.get("/api/agents/active", params=agents_query) as response:
            response.raise_for_status()
            active = await response.json()
    return _question(call, chat["items"]), active["active_connections"]


def _question(call: Call, items: Iterable[Mapping[str, Any]]) -> str:
    """This request's message: a later one of the session may wait for its turn already."""
    asked = [item for item in items if item["sender_type"] == "user"]
    ours = [item for item in asked if item["request_id"] == call.request_id]
    if not asked:
        raise LookupError("it has no message of a user")
    return str((ours or asked)[0]["content"])


async def answer(call: Call, message: str, candidates: Iterable[Candidate]) -> Answer:
    """Answer a message, and say what that has used, as if a language model had."""
    answered = await _answer_with_help(call, message, candidates)
    used = {"input_tokens": _count(message), "output_tokens": _count(answered["response"])}
    return {**answered, "usage": {**used, "model": MODEL}}


def _count(text: str) -> int:
    """Words, in place of tokens."""
    return len(text.split())


async def _answer_with_help(call: Call, message: str, candidates: Iterable[Candidate]) -> Answer:
    """Have one agent or flow help, if one fits."""
    known = {candidate.id: candidate for candidate in candidates}
    await call.log("info", f"Looking for an agent among {len(known)}: {message[:200]}")
    chosen = choose(message, known.values())
    if chosen is None:
        await call.log("info", "No agent fits")
        return await say(call, [], _offer(known.values()))
    trace: list[dict[str, Any]] = []
    for member in chosen.flow or (chosen.id,):
        agent = known.get(member) or Candidate(member, member, "", chosen.parameters)
        step = await invoke(call, agent, arguments_for(agent, message))
        trace.append(step)
        message = _text(step["output"])  # a flow's next member works on this
        if not step["is_success"]:
            return await fail(call, trace, f"{agent.name} failed: {message}")
    return await say(call, trace, message)


async def say(call: Call, trace: list[dict[str, Any]], response: str) -> Answer:
    """Tell the answer word by word, as a language model makes it, and then as a whole."""
    words = re.findall(r"\s*\S+|\s+$", response)
    for part in batched(words, len(words) // PARTS + 1):
        await asyncio.sleep(PART_SECONDS)
        await call.log("delta", "".join(part))
    return _answer(trace, response, is_success=True)


async def invoke(call: Call, callee: Candidate, arguments: dict[str, Any]) -> dict[str, Any]:
    """Call an agent or a tool and return the entry for the trace."""
    shown = json.dumps(arguments, ensure_ascii=False)
    await call.log("info", f"Calling {callee.name} with {shown}")
    began = perf_counter()
    is_success, output = await _send(call, callee, arguments)
    seconds = perf_counter() - began
    await call.log("info" if is_success else "error", f"{callee.name} answered in {seconds:.3f} s")
    return {
        "id": callee.id,
        "name": callee.name,
        "input": arguments,
        "output": output,
        "is_success": is_success,
        "execution_time": seconds,
        "type": callee.kind,
    }


async def _send(call: Call, callee: Candidate, arguments: dict[str, Any]) -> tuple[bool, Any]:
    """Whether the call was a success, and what came of it."""
    # The SDKs of MCP and A2A take a second to import, and many chats need neither.
    match callee.kind:
        case "mcp":
            from devstack.called_tools import call_tool  # noqa: PLC0415

            return await call_tool(callee, arguments)
        case "a2a":
            from devstack.called_a2a import call_a2a  # noqa: PLC0415

            return await call_a2a(callee, arguments)
    return await _call_agent(call, callee, arguments)


async def _call_agent(call: Call, agent: Candidate, arguments: dict[str, Any]) -> tuple[bool, Any]:
    # A door tells calls apart and shows the key to no agent; the router itself does neither.
    session = GenAISession(
        ws_url=call.addresses.router_url,
        api_key=call.addresses.master_agent_key,
        log_level=logging.WARNING,
    )
    session.request_id, session.session_id = call.request_id, call.session_id
    try:
        result = await session.send(arguments, agent.id, close_timeout=CALL_SECONDS)
    except (WebSocketException, OSError) as fault:
        return False, f"the router does not connect the call: {fault}"
    return result.is_success, result.response


async def fail(call: Call, trace: list[dict[str, Any]], reason: str) -> Answer:
    """Log why there is no answer, and answer so."""
    await call.log("error", reason)
    return _answer(trace, reason, is_success=False)


def _answer(trace: list[dict[str, Any]], response: str, *, is_success: bool) -> Answer:
    return {"agents_trace": trace, "response": response, "is_success": is_success}


def _offer(candidates: Iterable[Candidate]) -> str:
    offers = [f"- {candidate.name}: {candidate.description}" for candidate in candidates]
    if not offers:
        return "No agent is active, and on my own I cannot answer."
    return "\n".join(["None of the active agents fits this question. There are:", *offers])


def _text(output: Any) -> str:
    if isinstance(output, dict) and isinstance(output.get("response"), str):
        return str(output["response"])
    return output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)


HANDLERS = {"enriched": enriched_handler, "lookup": lookup_handler}


def read_addresses(environment: Mapping[str, str]) -> Addresses:
    """The addresses and keys of the environment. Raises KeyError for a key that is missing."""
    return Addresses(
        router_url=environment.get("ROUTER_WS_URL") or "ws://localhost:8080/ws",
        gateway_url=environment.get("GATEWAY_URL") or "http://localhost:8000",
        master_agent_key=environment["MASTER_AGENT_API_KEY"],
        service_key=environment.get("SERVICE_API_KEY") or environment["MASTER_BE_API_KEY"],
    )


async def serve(addresses: Addresses, contract: str) -> None:
    """Answer chats for ever."""
    session = GenAISession(ws_url=addresses.router_url, api_key=addresses.master_agent_key)
    session.bind(name=NAME, description=DESCRIPTION)(HANDLERS[contract](addresses))
    await stay_connected(session)


def main() -> None:
    """Run the master agent until it is told to end."""
    parser = ArgumentParser(prog="python -m devstack.master_agent", description=__doc__)
    parser.add_argument("--contract", choices=list(HANDLERS), default="enriched")
    contract = parser.parse_args().contract
    try:
        addresses = read_addresses(os.environ)
    except KeyError as missing:
        sys.exit(f"The master agent needs {missing.args[0]} in the environment.")
    run_agent(serve(addresses, contract))


if __name__ == "__main__":
    main()
