"""Ask a question on the local stack: `python -m devstack.ask "What is the time in Kyiv?"`."""

import asyncio
import json
import sys
from argparse import ArgumentParser, Namespace
from typing import Any
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from devstack.gateway_client import Gateway
from devstack.processes import StackError
from devstack.secrets_file import DEMO_USER, find_gateway, read_secrets

LOG_CHARACTERS = 120


def main() -> None:
    """Ask, show what happens meanwhile, and exit with 0 for an answer, with 1 for none."""
    arguments = _parser().parse_args()
    try:
        answer = asyncio.run(_ask(arguments))
    except StackError as fault:
        sys.exit(str(fault))
    except KeyboardInterrupt:
        sys.exit("Not waited for the answer; it will be in the chat's history.")
    response = answer["response"]
    if not (response["is_success"] and response["response"]["is_success"]):
        sys.exit(f"No answer: {answer.get('error') or response['response']['response']}")
    print(response["response"]["response"])


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m devstack.ask", description=__doc__)
    parser.add_argument("question")
    parser.add_argument("--url", default=find_gateway(), help="the gateway (that of `make run`)")
    parser.add_argument("--username", default=DEMO_USER)
    parser.add_argument("--password", help="that of the demo user is known")
    return parser


async def _ask(arguments: Namespace) -> dict[str, Any]:
    password = arguments.password or read_secrets().get("DEMO_PASSWORD")
    if not password:
        raise StackError("There is no demo account yet: give --username and --password.")
    url = arguments.url.rstrip("/")
    gateway = await asyncio.to_thread(Gateway(url).log_in, arguments.username, password)
    socket_url = f"ws{url.removeprefix('http')}/frontend/ws?token={quote(gateway.token or '')}"
    try:
        async with connect(socket_url, max_size=None) as socket:
            await socket.send(json.dumps({"message": arguments.question}))
            return await _follow(socket)
    except ConnectionClosed as end:
        raise StackError(f"The gateway closed the socket without an answer: {end}") from None
    except (WebSocketException, OSError) as fault:
        raise StackError(f"The gateway refuses the socket: {fault}") from None


async def _follow(socket: ClientConnection) -> dict[str, Any]:
    """Print the logs as they come and return the answer's frame."""
    while True:
        frame = _frame(await socket.recv())
        if frame["type"] == "agent_response":
            return frame
        if frame["type"] == "agent_log":
            print(_log_line(frame["log"]), flush=True)


def _frame(text: str | bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except ValueError:  # a malformed message is answered with a plain sentence
        raise StackError(str(text)) from None


def _log_line(log: dict[str, Any]) -> str:
    message = " ".join(str(log["message"]).split())
    if len(message) > LOG_CHARACTERS:
        message = f"{message[:LOG_CHARACTERS]}…"
    return f"  {log['log_level']:<8} {log['agent_id']}  {message}"


if __name__ == "__main__":
    main()
