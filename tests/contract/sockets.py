"""The recorded chats over the front-end's WebSocket, played again with a scripted master agent."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from attrs import define, field, frozen
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.contract.binding import Binding
from tests.contract.cases import Answer, Call, Case, load
from tests.master import AgentError, Invocation

FAULTS = "Message validation failed. Details: "
FAILED = {
    "master agent returns/does: raise": "stub master failed on purpose",
    "master agent returns/does: unserialisable": "Object of type object is not JSON serializable",
}
RETURNED = {
    "master agent returns/does: string": "a plain string",
    "master agent returns/does: list": [1, 2],
    "master agent returns/does: number": 42,
    "master agent returns/does: none": None,
    "master agent returns/does: emptydict": {},
}


@frozen
class Turn:
    """What the recorded master agent did with one message."""

    request_id: str
    logs: list[tuple[str, str]]
    answer: Any


def load_chats() -> list[Case]:
    """The recorded sockets: the handshake's status, what was heard, and the server's close."""
    return [_read(recorded) for recorded in load("websocket")["cases"]]


def _read(recorded: Mapping[str, Any]) -> Case:
    request = recorded["request"]
    sent = [one["data"] for one in recorded["messages"] if one["dir"] == "client->server"]
    call = Call("GET", request["path"], request["headers"], request["query"], sent)
    close = recorded["close"]
    code = close["code"] if close and close["by"] == "server" else None
    heard = [_heard(data) for turn in _turns(recorded["messages"]) for data in _in_order(turn)]
    body = {"frames": heard, "closed": code}
    return Case(recorded["case"], call, Answer(recorded["handshake"]["status"], {}, body))


def _turns(messages: list[Any]) -> Iterator[list[Any]]:
    """What was heard after each message; before the first one too."""
    turn: list[Any] = []
    for one in messages:
        if one["dir"] == "client->server":
            yield turn
            turn = []
        elif one["dir"] == "server->client":
            turn.append(one["data"])
    yield turn


def _in_order(turn: list[Any]) -> list[Any]:
    """The master agent's log entries, which come in no order there, before what ends the turn."""
    logs = [data for data in turn if data.get("type") == "agent_log"]
    return [*filter(_is_of_master, logs), *(data for data in turn if data not in logs)]


def _is_of_master(frame: Any) -> bool:
    return bool(frame["log"]["agent_id"] == "master_server_ml")


def _heard(data: Any) -> Any:
    """A frame as it is compared: the faults of a refused one as JSON, without hints for readers."""
    text = data.get("text") if isinstance(data, dict) else None
    if text is None or not text.startswith(FAULTS):
        return data
    return {"faults": json.loads(text.removeprefix(FAULTS))}


def script(case: Case) -> list[Turn]:
    """What the master agent has to do for a case to go as it went, but for its mistakes."""
    if case.name.startswith("two ") or case.name in FAILED:
        return []
    turns, logs = list[Turn](), list[tuple[str, str]]()
    for frame in case.answer.body["frames"]:
        if frame.get("type") == "agent_log":
            logs.append((frame["log"]["log_level"], frame["log"]["message"]))
        elif frame.get("type") == "agent_response":
            response = frame["response"]
            turns.append(Turn(response["request_id"], logs, response["response"]))
            logs = []
    return turns


@define
class ScriptedMaster:
    """Does what the recorded one did; echoes where it was not asked."""

    binding: Binding
    name: str = ""
    turns: list[Turn] = field(factory=list)

    async def __call__(self, invocation: Invocation) -> object:
        """Log and answer."""
        turn = self.turns.pop(0) if self.turns else None
        if turn:
            self.binding.known.setdefault(turn.request_id, invocation.request_id)
        for level, message in turn.logs if turn else []:
            await invocation.log(self.binding.fill(message), level)
        if self.name in FAILED:
            raise AgentError(FAILED[self.name])
        if self.name in RETURNED:
            return RETURNED[self.name]
        if turn is None or isinstance(turn.answer, str):
            return echoed(invocation.payload["message"])
        return self.binding.fill(turn.answer)


def echoed(message: str) -> dict[str, Any]:
    """What the recorded master agent answers by itself."""
    text = f"echo: {message}"
    trace = [{"name": "MasterAgent", "output": text, "is_success": True}]
    return {"agents_trace": trace, "response": text, "is_success": True}


async def converse(gateway: str, call: Call) -> Answer:
    """Open a socket, send one message after the other, and keep what comes."""
    url = f"{gateway.replace('http', 'ws', 1)}{call.path}?{urlencode(call.query or {})}"
    frames: list[Any] = []
    try:
        async with connect(url, additional_headers=dict(call.headers)) as connection:
            code = await _talk(connection, call.body, frames)
    except InvalidStatus as refused:
        return Answer(refused.response.status_code, {}, {"frames": [], "closed": None})
    return Answer(101, {}, {"frames": frames, "closed": code})


async def _talk(connection: ClientConnection, messages: list[Any], frames: list[Any]) -> int | None:
    try:
        for data in messages:
            await connection.send(_raw(data))
            while True:
                frames.append(_parse(await connection.recv()))
                if frames[-1].get("type") == "agent_response":
                    break
    except ConnectionClosed:
        return connection.close_code
    return None


def _raw(data: Any) -> str | bytes:
    match data:
        case {"text": str(text)}:
            return text
        case {"binary": str(text)}:
            return text.encode()
    return json.dumps(data)


def _parse(text: str | bytes) -> Any:
    if isinstance(text, str) and text.startswith(FAULTS):
        return _heard({"text": text})
    return json.loads(text)
