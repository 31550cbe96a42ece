"""An agent that seals texts with a word that only it knows; genai-protocol 2.0.x.

It takes its addresses and its token from the environment by itself.
"""

import asyncio
import os
from typing import Annotated

from genai_session.session import GenAISession
from genai_session.utils.context import GenAIContext

session = GenAISession()


@session.bind(name="Letter Sealer", description="Seals letters with a word that only it knows")
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
