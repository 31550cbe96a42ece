"""The whole system on a fresh machine: `python -m devstack.run`, ended with Ctrl-C."""

import os
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from types import FrameType
from typing import NoReturn

from dotenv import dotenv_values

from devstack.addresses import (
    CLOSED,
    GREETER_PATH,
    TOOLS_PATH,
    agents_url_of,
    in_url,
    samples_url,
    url_of,
)
from devstack.demo import Demo
from devstack.postgres import run_postgres
from devstack.processes import HOST, StackError, require_free_port, say
from devstack.secrets_file import DATA_FOLDER, DEMO_USER, GATEWAY_FILE, PROJECT, complete_secrets
from devstack.services import (
    add_samples,
    start_master_agent,
    start_router,
    start_sample_agent,
    start_samples,
    start_services,
)
from devstack.stack import Stack
from devstack.valkey import run_valkey

QUESTION = "What is the time in Kyiv right now?"
QUESTION_TO_FLOW = "Say hello in Kyiv"
DEFAULTS = {
    "GATEWAY_HOST": HOST,
    "GATEWAY_PORT": "8000",
    "BRIDGE_HOST": HOST,
    "BRIDGE_PORT": "8001",
    "AGENTS_HOST": HOST,
    "AGENTS_PORT": "8090",
    "ROUTER_PORT": "8080",
    "SAMPLES_PORT": "8070",
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
    if "DATABASE_URL" in given and "POSTGRES_PASSWORD" not in given:
        del environment["POSTGRES_PASSWORD"]  # that of a server of our own
    if "ROUTER_WS_URL" in given and "SERVICE_API_KEY" not in given:
        del environment["SERVICE_API_KEY"]  # the master agent there knows the router's key only
    _require_ports(given, environment)
    _require_master_key(given, environment)
    environment["GATEWAY_URL"] = url_of(environment, "GATEWAY")
    logs = DATA_FOLDER / "logs"
    logs.mkdir(exist_ok=True)
    stack = Stack(PROJECT, logs, exits)
    _start_stores(stack, given, environment)
    if "ROUTER_WS_URL" not in given:
        start_router(stack, environment)
    start_samples(stack, environment)
    demo = start_services(stack, environment)
    if "ROUTER_WS_URL" not in given:
        start_master_agent(stack, environment)
    start_sample_agent(stack, environment, demo)
    add_samples(stack, environment, demo)
    GATEWAY_FILE.write_text(environment["GATEWAY_URL"])
    exits.callback(GATEWAY_FILE.unlink, missing_ok=True)
    _print_addresses(environment, demo, secrets["DEMO_PASSWORD"])
    stack.watch()


def _given_environment() -> dict[str, str]:
    """What the environment and `.env` say, the environment first; an empty value says nothing."""
    both = {**dotenv_values(PROJECT / ".env"), **os.environ}
    return {name: value for name, value in both.items() if value}


def _require_ports(given: Mapping[str, str], environment: Mapping[str, str]) -> None:
    wanted = ["GATEWAY_PORT", "BRIDGE_PORT", "SAMPLES_PORT"]
    if "ROUTER_WS_URL" not in given:
        wanted += ["AGENTS_PORT", "ROUTER_PORT"]
    elif environment["AGENTS_PORT"] != CLOSED:
        wanted.append("AGENTS_PORT")
    for name in wanted:
        if not environment[name].isdigit() or not int(environment[name]):
            raise StackError(f"{name} must be a port number.")
        require_free_port(name.removesuffix("_PORT").lower(), int(environment[name]))


def _require_master_key(given: Mapping[str, str], environment: Mapping[str, str]) -> None:
    """Who comes to the door as the master agent shows the key that the router has."""
    is_open = environment["AGENTS_PORT"] != CLOSED
    if is_open and "ROUTER_WS_URL" in given and "MASTER_AGENT_API_KEY" not in given:
        raise StackError(
            "MASTER_AGENT_API_KEY must be the one that the router has; with AGENTS_PORT=0"
            " agents and the master agent reach the router themselves."
        )


def _start_stores(stack: Stack, given: Mapping[str, str], environment: dict[str, str]) -> None:
    """PostgreSQL and Valkey, unless there are some, and the shape of the database."""
    if not {"POSTGRES_HOST", "DATABASE_URL"} & given.keys():
        say("starting PostgreSQL")
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
        say("starting Valkey")
        valkey = stack.exits.enter_context(run_valkey(DATA_FOLDER / "valkey"))
        stack.add(valkey.child)
        environment["REDIS_URL"] = valkey.url
    say("bringing the database up to date")
    stack.run("migrations", "shared.upgrade.migrate", environment=environment)


def _print_addresses(environment: Mapping[str, str], demo: Demo, password: str) -> None:
    gateway = demo.gateway.url
    rows = {
        "console": f"{gateway}/console",
        "front-end WebSocket": f"ws{gateway.removeprefix('http')}/frontend/ws?token=<user token>",
        "Swagger UI": f"{gateway}/docs",
        "bridge health": f"{url_of(environment, 'BRIDGE')}/health",
        "agents connect to": agents_url_of(environment),
        "router": environment["ROUTER_WS_URL"],
        "MCP server": f"{samples_url(environment)}{TOOLS_PATH}",
        "A2A agent": f"{samples_url(environment)}{GREETER_PATH}",
        "PostgreSQL": _place_of_postgres(environment),
        "Valkey": environment["REDIS_URL"].rpartition("@")[2].partition("?")[0],
        "demo user": DEMO_USER,
        "demo password": password,
        "logs": str(DATA_FOLDER / "logs"),
    }
    for name, value in rows.items():
        print(f"{name:<20} {value}")
    print(f'\nA flow:  .venv/bin/python -m devstack.ask "{QUESTION_TO_FLOW}"')
    print(f'Try it:  .venv/bin/python -m devstack.ask "{QUESTION}"', flush=True)


def _place_of_postgres(environment: Mapping[str, str]) -> str:
    if url := environment.get("DATABASE_URL"):
        return url.rpartition("@")[2].partition("?")[0]
    host = in_url(environment["POSTGRES_HOST"].strip("[]"))
    return f"{host}:{environment.get('POSTGRES_PORT', '5432')}"


if __name__ == "__main__":
    main()
