"""Agents and flows that are asked themselves, as models; and files by their ids."""

from typing import Any

import openai
import pytest

from tests.asked import agent_that, create_flow, saying
from tests.end_to_end.openai_client import openai_of
from tests.end_to_end.socket.front_end import insert_file
from tests.master import Master
from tests.sql import Sql
from tests.system import System
from tests.users import User


async def test_an_active_agent_and_its_flow_are_models(
    system: System, sql: Sql, user: User
) -> None:
    react = saying(lambda text: f"sealed: {text}")
    async with agent_that(system, user, react) as (_, agent), openai_of(user) as client:
        alias = (await user.read_agent(agent["id"]))["agent_alias"]
        flow = await create_flow(user, agent["id"], agent["id"])
        models = {each.id: each.owned_by async for each in client.models.list()}
        [named] = [name for name, kind in models.items() if kind == "flow"]
        assert models == {"config": "config", named: "flow", alias: "agent"}
        hello: Any = [{"role": "user", "content": "hello"}]
        for model, answer in ((alias, "sealed: hello"), (named, "sealed: sealed: hello")):
            completion = await client.chat.completions.create(model=model, messages=hello)
            assert completion.choices[0].message.content == answer
            assert completion.model_extra
            trace = completion.model_extra["genai"]["agents_trace"]
            assert {step["id"] for step in trace} == {agent["id"]}
        assert (await client.models.retrieve(flow)).id == named
        sql("UPDATE agents SET is_active = false WHERE id = %s", agent["id"])
        assert [each.id async for each in client.models.list()] == ["config"]
        with pytest.raises(openai.NotFoundError) as raised:
            await client.chat.completions.create(model=alias, messages=hello)
        assert raised.value.code == "model_not_found"


async def test_what_an_agent_says_meanwhile_comes_as_the_answer(system: System, user: User) -> None:
    react = saying(lambda text: text)
    async with agent_that(system, user, react) as (_, agent), openai_of(user) as client:
        stream = await client.chat.completions.create(
            model=agent["id"], messages=[{"role": "user", "content": "hello"}], stream=True
        )
        texts = [each.choices[0].delta.content or "" async for each in stream]
    assert "".join(texts) == "hello"


async def test_files_are_named_by_id(system: System, user: User, master: Master) -> None:
    file = str(insert_file(system, user))
    question: Any = {
        "role": "user",
        "content": [
            {"type": "text", "text": "Read this"},
            {"type": "file", "file": {"file_id": file}},
        ],
    }
    async with openai_of(user) as client:
        completion = await client.chat.completions.create(model="config", messages=[question])
        assert completion.model_extra
        assert [each["id"] for each in completion.model_extra["genai"]["files"]] == [file]
        [given] = master.invocations[-1].payload["files"]
        assert given["id"] == file
