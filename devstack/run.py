"""The whole system on a fresh machine: `python -m devstack.run`, ended with Ctrl-C."""

import os
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from types import FrameType
from typing import NoReturn

from dotenv import dotenv_values

from devstack.agent_session import CONNECTED
from devstack.demo import Demo, make_demo
from devstack.gateway_client import Gateway
from devstack.postgres import run_postgres
from devstack.processes import HOST, StackError, require_free_port
from devstack.secrets_file import DATA_FOLDER, DEMO_USER, GATEWAY_FILE, PROJECT, complete_secrets
from devstack.stack import Stack
from devstack.valkey import run_valkey

HOLD_SECONDS = 15.0  # a bridge at a router that knows its key needs less than one
QUESTION = "What is the time in Kyiv right now?"
DEFAULTS = {
    "GATEWAY_HOST": HOST,
    "GATEWAY_PORT": "8000",
    "BRIDGE_HOST": HOST,
    "BRIDGE_PORT": "8001",
    "ROUTER_PORT": "8080",
    "DEFAULT_FILES_FOLDER_NAME": str(DATA_FOLDER / "files"),
    "ALLOW_PRIVATE_URLS": "true",
    "ALLOW_KNOWN_SECRETS": "true",
    # A part has ten seconds to end.
    "DRAIN_GRACE": "0",
    "DRAIN_TIMEOUT": "5",
    # Everybody comes from this machine.
    "LOGIN_FAILURES_PER_ADDRESS": "0",
    "REGISTRATIONS_PER_ADDRESS": "0",
    "CONNECTIONS_PER_ADDRESS": "0",
}


def main() -> None:
    """Start everything, say where it is, and stay until a signal or until a part fails."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        with ExitStack() as exits:
            _run(exits)
    except StackError as fault:
        sys.exit(str(fault))
    except KeyboardInterrupt:
        print("ended")


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    for further in (signal.SIGINT, signal.SIGTERM):
        signal.signal(further, signal.SIG_IGN)  # the parts end in order, however impatient one is
    raise KeyboardInterrupt


def _run(exits: ExitStack) -> NoReturn:
    given = _given_environment()
    secrets = complete_secrets(given)
    environment = {**DEFAULTS, **secrets, **given}
    if "ROUTER_WS_URL" in given and "SERVICE_API_KEY" not in given:
        del environment["SERVICE_API_KEY"]  # the master agent there knows the router's key only
    environment["GATEWAY_URL"] = url_of(environment, "GATEWAY")
    _require_ports(given, environment)
    logs = DATA_FOLDER / "logs"
    logs.mkdir(exist_ok=True)
    stack = Stack(PROJECT, logs, exits)
    _start_stores(stack, given, environment)
    _start_router(stack, given, environment)
    demo = _start_services(stack, environment)
    GATEWAY_FILE.write_text(environment["GATEWAY_URL"])
    exits.callback(GATEWAY_FILE.unlink, missing_ok=True)
    _print_addresses(environment, demo, secrets["DEMO_PASSWORD"])
    stack.watch()


def _given_environment() -> dict[str, str]:
    """What the environment and `.env` say, the environment first; an empty value says nothing."""
    both = {**dotenv_values(PROJECT / ".env"), **os.environ}
    return {name: value for name, value in both.items() if value}


def _require_ports(given: Mapping[str, str], environment: Mapping[str, str]) -> None:
    wanted = ["GATEWAY_PORT", "BRIDGE_PORT"]
    if "ROUTER_WS_URL" not in given:
        wanted.append("ROUTER_PORT")
    for name in wanted:
        if not environment[name].isdigit():
            raise StackError(f"{name} must be a port number.")
        require_free_port(name.removesuffix("_PORT").lower(), int(environment[name]))


def _start_stores(stack: Stack, given: Mapping[str, str], environment: dict[str, str]) -> None:
    """PostgreSQL and Valkey, unless there are some, and the shape of the database."""
    if "POSTGRES_HOST" not in given:
        _say("starting PostgreSQL")
        postgres = stack.exits.enter_context(
            run_postgres(DATA_FOLDER / "postgres", password=environment["POSTGRES_PASSWORD"])
        )
        stack.add(postgres.child)
        environment |= {
            "POSTGRES_HOST": postgres.host,
            "POSTGRES_PORT": str(postgres.port),
            "POSTGRES_USER": postgres.user,
            "POSTGRES_DB": "postgres",
        }
    if "REDIS_URL" not in given:
        _say("starting Valkey")
        valkey = stack.exits.enter_context(run_valkey(DATA_FOLDER / "valkey"))
        stack.add(valkey.child)
        environment["REDIS_URL"] = valkey.url
    _say("bringing the database up to date")
    stack.run("migrations", "shared.upgrade.migrate", environment=environment)


def _start_router(stack: Stack, given: Mapping[str, str], environment: dict[str, str]) -> None:
    """The router with its master agent, unless there is one, which has a master agent already."""
    if "ROUTER_WS_URL" in given:
        return
    port = environment["ROUTER_PORT"]
    environment["ROUTER_WS_URL"] = f"ws://{HOST}:{port}/ws"
    _say("starting the router and its master agent")
    stack.start("router", "devstack.router", environment=environment)
    router = Gateway(f"http://{HOST}:{port}")
    stack.wait_until("The router does not answer", lambda: _answers(router, "/"))
    contract = environment.get("MASTER_AGENT_CONTRACT", "auto").replace("auto", "enriched")
    options = ("--contract", contract)
    agent = stack.start("master_agent", "devstack.master_agent", *options, environment=environment)
    stack.wait_until("The master agent is not there", lambda: CONNECTED in agent.last_lines())


def _start_services(stack: Stack, environment: dict[str, str]) -> Demo:
    gateway = Gateway(environment["GATEWAY_URL"])
    bridge = Gateway(url_of(environment, "BRIDGE"))
    _say("starting the gateway and the agent bridge")
    stack.start("gateway", "gateway", environment=environment)
    stack.start("agent_bridge", "agent_bridge", environment=environment)
    stack.wait_until("The gateway is not ready", lambda: _answers(gateway, "/health", 200))
    stack.wait_until("The agent bridge is not ready", lambda: _answers(bridge, "/health", 200))
    _say("making the demo user and starting the sample agent")
    demo = make_demo(gateway, environment["DEMO_PASSWORD"])
    environment["AGENT_JWT_TOKEN"] = demo.agent_token
    stack.start("sample_agent", "devstack.sample_agent", environment=environment)
    # Active without this bridge's session: another bridge of the same database holds it.
    stack.wait_until(
        f"The bridge can't hold the session at {environment['ROUTER_WS_URL']}"
        " (is a router there, and is MASTER_BE_API_KEY the one it has?)",
        lambda: _holds_session(bridge) or demo.agent_is_active(),
        HOLD_SECONDS,
    )
    stack.wait_until("The sample agent is not active", demo.agent_is_active)
    return demo


def _holds_session(bridge: Gateway) -> bool:
    state = bridge.request("GET", "/ready").body
    return bool(state["router_session"]["is_held"])


def url_of(environment: Mapping[str, str], service: str) -> str:
    """Where somebody on this machine finds it, also where it listens everywhere."""
    host = environment[f"{service}_HOST"].strip("[]")
    host = {"0.0.0.0": HOST, "::": "::1"}.get(host, host)  # noqa: S104 (what it is told)
    return f"http://{_in_url(host)}:{environment[f'{service}_PORT']}"


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _say(what: str) -> None:
    print(f"{what} …", flush=True)


def _answers(server: Gateway, path: str, status: int | None = None) -> bool:
    try:
        return server.request("GET", path).status == status or status is None
    except StackError:
        return False


def _print_addresses(environment: Mapping[str, str], demo: Demo, password: str) -> None:
    gateway = demo.gateway.url
    rows = {
        "front-end WebSocket": f"ws{gateway.removeprefix('http')}/frontend/ws?token=<user token>",
        "Swagger UI": f"{gateway}/docs",
        "bridge health": f"{url_of(environment, 'BRIDGE')}/health",
        "router": environment["ROUTER_WS_URL"],
        "PostgreSQL": f"{_in_url(environment['POSTGRES_HOST'].strip('[]'))}:"
        f"{environment.get('POSTGRES_PORT', '5432')}",
        "Valkey": environment["REDIS_URL"].rpartition("@")[2].partition("?")[0],
        "demo user": DEMO_USER,
        "demo password": password,
        "logs": str(DATA_FOLDER / "logs"),
    }
    for name, value in rows.items():
        print(f"{name:<20} {value}")
    print(f'\nTry it:  .venv/bin/python -m devstack.ask "{QUESTION}"', flush=True)


if __name__ == "__main__":
    main()
