"""An agent that seals texts with a word that only it knows; genai-protocol 1.0.x."""

import asyncio
import os
from typing import Annotated

from genai_session.session import GenAISession
from genai_session.utils.context import GenAIContext

session = GenAISession(
    ws_url=os.environ["ROUTER_WS_URL"],
    api_base_url=os.environ["GATEWAY_URL"],
    jwt_token=os.environ["AGENT_JWT_TOKEN"],
)


@session.bind(  # type: ignore[untyped-decorator]
    name="Letter Sealer", description="Seals letters with a word that only it knows"
)
async def seal(
    agent_context: GenAIContext,
    text: Annotated[str, "The text of the letter"],
    copies: Annotated[int, "How many copies are wanted"] = 1,
) -> str:
    """Seal a letter."""
    logger = agent_context.logger  # before the first await: the next call changes the context
    logger.info(f"Sealing {text}")  # noqa: G004 (it takes no arguments)
    await asyncio.sleep(0)
    logger.warning({"sealed": text, "copies": copies})
    return f"{copies} x {text}, sealed with {os.environ['SEAL']}"


if __name__ == "__main__":
    asyncio.run(session.process_events())
