"""Ask a question on the local stack: `python -m devstack.ask "What is the time in Kyiv?"`."""

import asyncio
import json
import sys
from argparse import ArgumentParser, Namespace
from typing import Any
from urllib.parse import urlencode

from attrs import define
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from devstack.gateway_client import Gateway
from devstack.processes import StackError
from devstack.secrets_file import DEMO_USER, find_gateway, read_secrets

LOG_CHARACTERS = 120
PROTOCOL = 2  # of the socket: answers are told as they are made


def main() -> None:
    """Ask, show what happens meanwhile, and exit with 0 for an answer, with 1 for none."""
    arguments = _parser().parse_args()
    screen = Screen()
    try:
        answer = asyncio.run(_ask(arguments, screen))
    except StackError as fault:
        sys.exit(str(fault))
    except KeyboardInterrupt:
        sys.exit("Not waited for the answer; it will be in the chat's history.")
    response = answer["response"]
    if not (response["is_success"] and response["response"]["is_success"]):
        screen.end_line()
        sys.exit(f"No answer: {answer.get('error') or response['response']['response']}")
    screen.end(response["response"]["response"])


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m devstack.ask", description=__doc__)
    parser.add_argument("question")
    parser.add_argument("--url", default=find_gateway(), help="the gateway (that of `make run`)")
    parser.add_argument("--username", default=DEMO_USER)
    parser.add_argument("--password", help="that of the demo user is known")
    return parser


@define
class Screen:
    """What is printed of an answer while it is made; log entries may come in between."""

    _told: str = ""
    _is_whole: bool = True
    """Whether no log entry stands within what was told."""
    _is_in_line: bool = False

    def add(self, index: int, text: str) -> None:
        """Print a part of the answer; the one of index 0 begins it, once more if need be."""
        if index == 0:
            self.end_line()
            self._told, self._is_whole = "", True
        print(text, end="", flush=True)
        self._told += text
        self._is_in_line = not text.endswith("\n")

    def log(self, line: str) -> None:
        """Print a log entry on a line of its own."""
        self._is_whole = self._is_whole and not self._told
        self.end_line()
        print(line, flush=True)

    def end(self, answer: str) -> None:
        """Print what is missing of the answer: all of it where its parts do not stand together."""
        if self._is_whole and answer.startswith(self._told):
            print(answer.removeprefix(self._told))
        else:
            self.end_line()
            print(answer)

    def end_line(self) -> None:
        """Go on at the beginning of a line."""
        if self._is_in_line:
            print()
        self._is_in_line = False


async def _ask(arguments: Namespace, screen: Screen) -> dict[str, Any]:
    password = arguments.password or read_secrets().get("DEMO_PASSWORD")
    if not password:
        raise StackError("There is no demo account yet: give --username and --password.")
    url = arguments.url.rstrip("/")
    gateway = await asyncio.to_thread(Gateway(url).log_in, arguments.username, password)
    query = urlencode({"token": gateway.token, "protocol": PROTOCOL})
    try:
        socket_url = f"ws{url.removeprefix('http')}/frontend/ws?{query}"
        async with connect(socket_url, max_size=None) as socket:
            await socket.send(json.dumps({"message": arguments.question}))
            return await _follow(socket, screen)
    except ConnectionClosed as end:
        raise StackError(f"The gateway closed the socket without an answer: {end}") from None
    except (WebSocketException, OSError) as fault:
        raise StackError(f"The gateway refuses the socket: {fault}") from None


async def _follow(socket: ClientConnection, screen: Screen) -> dict[str, Any]:
    """Print logs and the parts of the answer as they come, and return the answer's frame."""
    while True:
        match json.loads(await socket.recv()):
            case {"type": "agent_response"} as frame:
                return dict(frame)
            case {"type": "agent_log", "log": log}:
                screen.log(_log_line(log))
            case {"type": "delta", "agent_id": _}:
                pass  # what another agent says, the answer may be made of it
            case {"type": "delta", "index": index, "text": text}:
                screen.add(index, text)
            case {"type": "error", "error": sentence}:
                raise StackError(sentence)


def _log_line(log: dict[str, Any]) -> str:
    message = " ".join(str(log["message"]).split())
    if len(message) > LOG_CHARACTERS:
        message = f"{message[:LOG_CHARACTERS]}…"
    return f"  {log['log_level']:<8} {log['agent_id']}  {message}"


if __name__ == "__main__":
    main()
