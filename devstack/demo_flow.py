"""A flow of three kinds for the demo user: an agent, a tool of an MCP server, and an A2A agent."""

from typing import Any

from devstack.addresses import GREETER_PATH, TOOLS_PATH
from devstack.gateway_client import Gateway, expect

NAME = "say_hello"
DESCRIPTION = "Says hello from a city"
OK = 200


def make_flow(gateway: Gateway, agent_id: str, samples_url: str) -> None:
    """Add the samples, and make or renew the flow. Raises StackError when the gateway refuses."""
    members = [
        {"type": "genai", "id": agent_id},
        {"type": "mcp", "id": _add_tool(gateway, samples_url + TOOLS_PATH)},
        {"type": "a2a", "id": _add(gateway, "a2a/agents", samples_url + GREETER_PATH)["id"]},
    ]
    flow = {"name": NAME, "description": DESCRIPTION, "flow": members}
    flows = expect("The flows", gateway.request("GET", "/api/agentflows"), OK)
    known = next((each["id"] for each in flows if each["name"] == NAME), None)
    made = (
        gateway.request("PATCH", f"/api/agentflows/{known}", flow)
        if known
        else gateway.request("POST", "/api/agentflows/register", flow)
    )
    expect("The flow", made, OK)


def _add_tool(gateway: Gateway, url: str) -> str:
    """The id of the only tool."""
    server_id = _add(gateway, "mcp/servers", url)["id"]
    server = expect("The tool", gateway.request("GET", f"/api/mcp/servers/{server_id}"), OK)
    [tool] = server["mcp_tools"]
    tool_id: str = tool["id"]
    return tool_id


def _add(gateway: Gateway, kind: str, url: str) -> dict[str, Any]:
    reply = gateway.request("POST", f"/api/{kind}", {"server_url": url})
    added: dict[str, Any] = expect(f"What is at {url}", reply, OK)
    return added
