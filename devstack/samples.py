"""The sample MCP server and the sample A2A agent, at one port: `python -m devstack.samples`."""

import os

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from devstack.addresses import GREETER_PATH, TOOLS_PATH, samples_url
from devstack.processes import HOST
from devstack.sample_a2a_agent import make_agent
from devstack.sample_tools import server


def make_app(url: str) -> Starlette:
    """Both, as they are found below this URL."""
    tools = server.streamable_http_app(streamable_http_path=TOOLS_PATH)
    agent = make_agent(f"{url}{GREETER_PATH}/")
    return Starlette(
        routes=[Mount(GREETER_PATH, agent), Mount("/", tools)],
        lifespan=lambda _: server.session_manager.run(),
    )


def main() -> None:
    """Serve until told to end."""
    app = make_app(samples_url(os.environ))
    uvicorn.run(app, host=HOST, port=int(os.environ["SAMPLES_PORT"]), log_level="warning")


if __name__ == "__main__":
    main()
