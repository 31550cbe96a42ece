"""The demo account: a user, a model config and the sample agent, made through the REST API.

`python -m devstack.demo` makes it and then is the sample agent; `make run` sees to both itself.
"""

import os
import sys

from attrs import field, frozen

from devstack import sample_agent
from devstack.gateway_client import Gateway, expect
from devstack.processes import StackError
from devstack.secrets_file import DEMO_USER, keep_secrets, read_secrets

OK = 200
EXISTS = 400
PROVIDER = "ollama"  # the one that needs no key
CONFIG = "demo"


@frozen
class Demo:
    """The demo user's view of the gateway, and the sample agent that belongs to it."""

    gateway: Gateway
    agent_id: str
    agent_token: str = field(repr=False)

    def agent_is_active(self) -> bool:
        """Whether the sample agent has come in."""
        reply = self.gateway.request("GET", f"/api/agents/{self.agent_id}")
        return reply.status == OK and bool(reply.body["is_active"])


def make_demo(gateway: Gateway, password: str) -> Demo:
    """Make what is missing of the demo account. Raises StackError when the gateway refuses."""
    account = {"username": DEMO_USER, "password": password}
    expect("The demo user", gateway.request("POST", "/api/register", account), OK, EXISTS)
    as_demo = gateway.log_in(DEMO_USER, password)
    _make_model_config(as_demo)
    agent_id, token = _make_agent(as_demo)
    return Demo(as_demo, agent_id, token)


def _make_model_config(gateway: Gateway) -> None:
    reply = gateway.request("GET", "/api/llm/model/configs")
    providers = expect("The model configs", reply, OK)
    if any(entry["name"] == CONFIG for provider in providers for entry in provider["configs"]):
        return
    provider = {"name": PROVIDER, "api_key": "", "metadata": {}}
    reply = gateway.request("POST", "/api/llm/model/provider", provider)
    expect("The model provider", reply, OK, EXISTS)
    config = {"name": CONFIG, "model": "words", "provider": PROVIDER}
    expect("The model config", gateway.request("POST", "/api/llm/model/config", config), OK)


def _make_agent(gateway: Gateway) -> tuple[str, str]:
    """The sample agent's id and current token; registered anew when the server does not know it."""
    kept = read_secrets()
    if agent_id := kept.get("AGENT_ID"):
        known = gateway.request("GET", f"/api/agents/{agent_id}")
        if known.status == OK:
            return agent_id, known.body["agent_jwt"]
    agent = {
        "name": sample_agent.NAME,
        "description": sample_agent.DESCRIPTION,
        "input_parameters": {},
    }
    reply = gateway.request("POST", "/api/agents/register", agent)
    made = expect("The sample agent", reply, OK)
    keep_secrets(kept | {"AGENT_ID": made["id"]})
    return made["id"], made["jwt"]


def main() -> None:
    """Make the account at GATEWAY_URL with DEMO_PASSWORD and run its agent until told to end."""
    password = os.environ.get("DEMO_PASSWORD")
    if not password:
        sys.exit("The demo account needs DEMO_PASSWORD in the environment.")
    try:
        demo = make_demo(
            Gateway(os.environ.get("GATEWAY_URL") or "http://localhost:8000"), password
        )
    except StackError as fault:
        sys.exit(str(fault))
    os.environ["AGENT_JWT_TOKEN"] = demo.agent_token
    sample_agent.main()


if __name__ == "__main__":
    main()
