"""Saves a file as an agent does and reads it back; for both generations of genai-protocol."""

import asyncio
import json
import os
import sys

from genai_session.utils.file_manager import FileManager


async def main(session_id: str, request_id: str, name: str, content: str) -> None:
    """Print what the agent is told of the file that it saved."""
    manager = FileManager(
        os.environ["GATEWAY_URL"], session_id, request_id, os.environ["AGENT_JWT_TOKEN"]
    )
    id_ = await manager.save(content.encode(), name)
    read = (await manager.get_by_id(id_)).read().decode()
    metadata = await manager.get_metadata_by_id(id_)
    print(json.dumps({"id": id_, "content": read, "metadata": metadata}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
