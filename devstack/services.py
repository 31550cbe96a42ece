"""The router, the pair, the master agent and the samples of the local stack."""

import time
from collections.abc import Callable, Mapping

from devstack.addresses import agents_url_of, samples_url, url_of
from devstack.demo import Demo, make_demo
from devstack.demo_flow import make_flow
from devstack.gateway_client import Gateway
from devstack.processes import HOST, StackError, say
from devstack.secrets_file import DEMO_USER
from devstack.stack import Stack

HOLD_SECONDS = 15.0  # a bridge at a router that knows its key needs less than one
OTHERS_SECONDS = 3.0  # without the leader's lease, which one that tries in vain has every other one


def start_router(stack: Stack, environment: dict[str, str]) -> None:
    """Start the router, which only the bridge is to reach: it authenticates nobody."""
    port = environment["ROUTER_PORT"]
    environment["ROUTER_WS_URL"] = f"ws://{HOST}:{port}/ws"
    say("starting the router")
    stack.start("router", "devstack.router", environment=environment)
    router = Gateway(f"http://{HOST}:{port}")
    stack.wait_until("The router does not answer", lambda: _answers(router, "/"))


def start_services(stack: Stack, environment: Mapping[str, str]) -> Demo:
    """Start the pair, and make the demo account."""
    gateway = Gateway(environment["GATEWAY_URL"])
    bridge = _bridge_of(environment)
    say("starting the gateway and the agent bridge")
    told = {"AGENTS_URL": agents_url_of(environment), **environment}
    stack.start("gateway", "gateway", environment=told)
    stack.start("agent_bridge", "agent_bridge", environment=environment)
    stack.wait_until("The gateway is not ready", lambda: _answers(gateway, "/health", 200))
    stack.wait_until("The agent bridge is not ready", lambda: _answers(bridge, "/health", 200))
    say("making the demo user")
    demo = make_demo(gateway, environment["DEMO_PASSWORD"])
    # Who looks around sees the views of administrators too.
    promotion = ["users", "make-admin", DEMO_USER, "--yes"]
    stack.run("administrator", "gateway.admin", *promotion, environment=environment)
    return demo


def start_master_agent(stack: Stack, environment: Mapping[str, str]) -> None:
    """Start the master agent, and wait until the router leads to it."""
    say("starting the master agent")
    # One that looks its agents up is told of tools and A2A agents too.
    contract = environment.get("MASTER_AGENT_CONTRACT", "auto").replace("auto", "lookup")
    _start_agent(stack, "master_agent", environment, "--contract", contract)
    bridge = _bridge_of(environment)
    stack.wait_until("The master agent is not there", lambda: _has_master_agent(bridge))


def start_sample_agent(stack: Stack, environment: Mapping[str, str], demo: Demo) -> None:
    """Start the sample agent, and wait until whoever asks can have it called."""
    say("starting the sample agent")
    _start_agent(stack, "sample_agent", {**environment, "AGENT_JWT_TOKEN": demo.agent_token})
    stack.wait_until(
        f"The bridge can't hold the session at {environment['ROUTER_WS_URL']}"
        " (is a router there, and is MASTER_BE_API_KEY the one it has?)",
        _watch_session(_bridge_of(environment)),
        HOLD_SECONDS,
    )
    stack.wait_until("The sample agent is not active", demo.agent_is_active)


def start_samples(stack: Stack, environment: Mapping[str, str]) -> None:
    """Start the sample MCP server and the sample A2A agent."""
    say("starting the samples of MCP and A2A")
    stack.start("samples", "devstack.samples", environment=environment)


def add_samples(stack: Stack, environment: Mapping[str, str], demo: Demo) -> None:
    """Add them for the demo user, and a flow; or say why that can't be."""
    url = samples_url(environment)
    stack.wait_until("The samples do not answer", lambda: _answers(Gateway(url), "/"))
    try:
        make_flow(demo.gateway, demo.agent_id, url)
    except StackError as fault:
        print(f"There is no flow of them: {fault}")


def _start_agent(stack: Stack, name: str, environment: Mapping[str, str], *options: str) -> None:
    """Start one that takes the bridge's door for the router."""
    through_door = {**environment, "ROUTER_WS_URL": agents_url_of(environment)}
    stack.start(name, f"devstack.{name}", *options, environment=through_door)


def _bridge_of(environment: Mapping[str, str]) -> Gateway:
    return Gateway(url_of(environment, "BRIDGE"))


def _has_master_agent(bridge: Gateway) -> bool:
    door = bridge.request("GET", "/ready").body["agents_door"]
    return bool(door["master_agent"] == "ours")


def _watch_session(bridge: Gateway) -> Callable[[], bool]:
    """Whether a bridge holds the router session: this one, or another one of the same database."""
    led_at = time.monotonic()

    def is_held() -> bool:
        nonlocal led_at
        state = bridge.request("GET", "/ready").body["router_session"]
        if state["has_lock"]:
            led_at = time.monotonic()
        return bool(state["is_held"]) or time.monotonic() - led_at > OTHERS_SECONDS

    return is_held


def _answers(server: Gateway, path: str, status: int | None = None) -> bool:
    try:
        return server.request("GET", path).status == status or status is None
    except StackError:
        return False
