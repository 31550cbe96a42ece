"""Files go with messages by their ids, and come with answers as addresses."""

from uuid import uuid4

import httpx2
import pytest
from a2a.types import Part

from tests.a2a import DIALECTS, Dialect, calling, post_rpc, publish_assistant, say
from tests.gateway.files.uploading import CONTENT, upload
from tests.master import Invocation, Master, answer
from tests.users import Json, User


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
async def test_a_file_goes_with_the_message_and_another_comes_with_the_answer(
    user: User, agent: httpx2.AsyncClient, master: Master, dialect: Dialect
) -> None:
    async def behave(invocation: Invocation) -> Json:
        ids = {"session_id": invocation.session_id, "request_id": invocation.request_id}
        await upload(agent, "made.txt", b"made", **ids)
        return answer("Here it is")

    master.behave = behave
    given = await upload(user.http, "given.txt")
    url = await publish_assistant(user)
    parts = [Part(text="Copy this"), Part(url=f"urn:uuid:{given}")]
    async with calling(user, url, dialect, streaming=False) as client:
        [told] = [each async for each in client.send_message(say(parts=parts))]
    [file] = master.invocations[-1].payload["files"]
    assert file["id"] == given
    text, back = told.task.history[0].parts
    assert text.text == "Copy this"
    assert (back.filename, back.media_type) == ("given.txt", "text/plain")
    assert (await user.http.get(back.url)).content == CONTENT
    said, files = told.task.artifacts
    assert said.parts[0].text == "Here it is"
    [made] = files.parts
    assert (made.filename, made.media_type) == ("made.txt", "text/plain")
    assert (await user.http.get(made.url)).content == b"made"


async def test_a_stream_tells_of_files_before_its_end(
    user: User, agent: httpx2.AsyncClient, master: Master
) -> None:
    async def behave(invocation: Invocation) -> Json:
        ids = {"session_id": invocation.session_id, "request_id": invocation.request_id}
        await upload(agent, "made.txt", b"made", **ids)
        return answer("Here it is")

    master.behave = behave
    url = await publish_assistant(user)
    async with calling(user, url) as client:
        events = [event async for event in client.send_message(say())]
    files = events[-2].artifact_update
    assert (files.artifact.artifact_id, files.last_chunk) == ("files", True)
    assert [each.filename for each in files.artifact.parts] == ["made.txt"]


async def test_a_file_is_named_by_the_address_that_it_came_with_too(
    user: User, other_user: User, master: Master
) -> None:
    url = await publish_assistant(user)
    gateway = str(user.http.base_url).rstrip("/")
    states = {}
    for owner in (user, other_user):
        parts = [{"url": f"{gateway}/files/{await upload(owner.http)}"}]
        message = {"messageId": str(uuid4()), "role": "ROLE_USER", "parts": parts}
        told = await post_rpc(user, url, "SendMessage", {"message": message})
        states[owner.id] = told["result"]["task"]["status"]["state"]
    assert states == {user.id: "TASK_STATE_COMPLETED", other_user.id: "TASK_STATE_FAILED"}
    assert len(master.invocations) == 1
