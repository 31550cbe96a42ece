"""Where somebody on this machine finds the parts of the local stack."""

from collections.abc import Mapping

from devstack.processes import HOST

TOOLS_PATH = "/mcp"  # of the sample MCP server
GREETER_PATH = "/greeter"  # of the sample A2A agent
CLOSED = "0"  # as AGENTS_PORT: agents reach the router themselves


def url_of(environment: Mapping[str, str], service: str) -> str:
    """Where a service is found, also where it listens everywhere."""
    host = environment[f"{service}_HOST"].strip("[]")
    host = {"0.0.0.0": HOST, "::": "::1"}.get(host, host)  # noqa: S104 (what it is told)
    return f"http://{in_url(host)}:{environment[f'{service}_PORT']}"


def agents_url_of(environment: Mapping[str, str]) -> str:
    """Where agents connect: at the bridge's door, or at the router where that is closed."""
    if environment["AGENTS_PORT"] == CLOSED:
        return environment["ROUTER_WS_URL"]
    return f"ws{url_of(environment, 'AGENTS').removeprefix('http')}/ws"


def samples_url(environment: Mapping[str, str]) -> str:
    """Where the sample MCP server and the sample A2A agent are."""
    return f"http://{HOST}:{environment['SAMPLES_PORT']}"


def in_url(host: str) -> str:
    """A host as a URL has it."""
    return f"[{host}]" if ":" in host else host
