"""A sample agent, which tells the time in a city: `python -m devstack.sample_agent`."""

import os
import sys
from datetime import UTC, datetime
from typing import Annotated

from genai_session.session import GenAISession
from genai_session.utils.context import GenAIContext

from devstack.agent_session import log_now, run_agent, stay_connected
from devstack.cities import zone_of

NAME = "city_time"
DESCRIPTION = "Tells the current time in a city"


async def tell_time(
    agent_context: GenAIContext, city: Annotated[str, "The city whose time is wanted"]
) -> str:
    """Tell the current time in a city."""
    logger = agent_context.logger  # before the first await: it is this request's
    await log_now(logger, "info", f"Looking up the time zone of {city}")
    return describe_time(city, datetime.now(UTC))


def describe_time(city: str, now: datetime) -> str:
    """A sentence that says what time it is in the city."""
    zone = zone_of(city)
    if zone is None:
        return f"I do not know a time zone for {city!r}."
    local = now.astimezone(zone)
    return f"In {city} it is {local:%H:%M} on {local:%A, %d %B %Y} ({zone.key}, {local:%Z})."


async def serve(router_url: str, gateway_url: str, token: str) -> None:
    """Tell the time for ever."""
    session = GenAISession(ws_url=router_url, api_base_url=gateway_url, jwt_token=token)
    session.bind(name=NAME, description=DESCRIPTION)(tell_time)
    await stay_connected(session)


def main() -> None:
    """Run the agent until it is told to end."""
    token = os.environ.get("AGENT_JWT_TOKEN")
    if not token:
        sys.exit("The sample agent needs AGENT_JWT_TOKEN, the token of its registration.")
    router_url = os.environ.get("ROUTER_WS_URL") or "ws://localhost:8080/ws"
    gateway_url = os.environ.get("GATEWAY_URL") or "http://localhost:8000"
    run_agent(serve(router_url, gateway_url, token))


if __name__ == "__main__":
    main()
