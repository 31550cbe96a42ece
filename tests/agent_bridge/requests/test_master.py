"""What the master agent is given: the two forms, and which one when."""

import json
from uuid import uuid4

from agent_bridge.requests.master import (
    CallableAgent,
    Invocation,
    first_form,
    other_form,
    payload,
)
from agent_bridge.router.frames import Rejection
from shared.domain.frames import FileMetadata
from tests import master as masters
from tests.agent_bridge.actors import SCHEMA, connected_agent, until_active
from tests.agent_bridge.broken import keep_bridges
from tests.agent_bridge.stored import execute, select
from tests.end_to_end.socket.front_end import insert_file
from tests.master import AgentError, Master, answer, run_master
from tests.system import System
from tests.users import User

FORGET = "UPDATE router_session SET master_form = NULL"
UNEXPECTED = Rejection("run() got an unexpected keyword argument 'agents'", 0.0)
MISSING = Rejection("run() missing 1 required positional argument: 'agents'", 0.0)
CONFIG_KEYS = {
    "provider",
    "model",
    "temperature",
    "system_prompt",
    "config_name",
    "max_last_messages",
    "api_key",
}
FILE_KEYS = {
    "id",
    "session_id",
    "request_id",
    "original_name",
    "mimetype",
    "internal_id",
    "internal_name",
    "from_agent",
    "creator_id",
}


def _invocation() -> Invocation:
    id_ = uuid4()
    file = FileMetadata(id_, id_, id_, "a.txt", "text/plain", id_, "a", False, id_)
    agent = CallableAgent(id_, "alias", "description", {"type": "function"})
    configs = {"model": "m", "user_prompt": None, "api_key": "k", "temperature": 0.0}
    return Invocation(id_, id_, "hello", configs, [file], [agent], 1_800_000_000)


def test_the_enriched_form_has_exactly_its_keys() -> None:
    given = payload("enriched", _invocation())
    assert given.keys() == {"message", "agents", "configs", "files"}
    assert given["configs"].keys() == {"llm"}


def test_the_lookup_form_has_exactly_its_keys() -> None:
    given = payload("lookup", _invocation())
    assert given.keys() == {"user_id", "session_id", "timestamp", "configs", "files"}


def test_the_timestamp_of_the_lookup_form_is_posix_seconds() -> None:
    assert payload("lookup", _invocation())["timestamp"] == 1_800_000_000


def test_null_values_are_left_out_and_zeros_are_not() -> None:
    configs = payload("lookup", _invocation())["configs"]
    assert configs == {"model": "m", "api_key": "k", "temperature": 0.0}


def test_agents_and_files_have_exactly_their_keys() -> None:
    given = payload("enriched", _invocation())
    [agent], [file] = given["agents"], given["files"]
    assert agent.keys() == {"agent_id", "agent_name", "agent_description", "agent_schema"}
    assert file.keys() == FILE_KEYS


def test_auto_begins_with_the_form_that_was_answered_last() -> None:
    assert first_form("auto", None) == first_form("auto", "enriched") == "enriched"
    assert first_form("auto", "lookup") == "lookup"


def test_auto_goes_over_to_the_other_form_for_a_wrong_signature_both_ways() -> None:
    assert other_form("auto", "enriched", UNEXPECTED) == "lookup"
    assert other_form("auto", "lookup", MISSING) == "enriched"


def test_auto_stays_for_any_other_error() -> None:
    assert other_form("auto", "enriched", Rejection("the model is down", 0.0)) is None


def test_a_form_that_is_set_does_not_change() -> None:
    assert first_form("lookup", "enriched") == "lookup"
    assert first_form("enriched", "lookup") == "enriched"
    assert other_form("lookup", "lookup", MISSING) is None
    assert other_form("enriched", "enriched", UNEXPECTED) is None


async def test_the_configs_hold_the_decrypted_key_the_credentials_and_the_metadata(
    user: User, master: Master
) -> None:
    provider = {"name": "p", "api_key": "sk-plain", "metadata": {"base_url": "u", "nothing": None}}
    assert (await user.http.post("/api/llm/model/provider", json=provider)).is_success
    config = {
        "name": "c",
        "model": "gpt",
        "provider": "p",
        "temperature": 0,
        "max_last_messages": 0,
        "system_prompt": "be good",
        "credentials": {"region": "eu", "none": None},
    }
    assert (await user.http.post("/api/llm/model/config", json=config)).is_success
    async with user.chat() as chat:
        await chat.ask("hello")
    given = dict(master.invocations[0].payload["configs"]["llm"])
    given.pop("user_prompt", None)  # an empty text, or left out
    assert given == {
        "provider": "p",
        "model": "gpt",
        "temperature": 0.0,
        "system_prompt": "be good",
        "config_name": "c",
        "max_last_messages": 0,
        "api_key": "sk-plain",
        "region": "eu",
        "base_url": "u",
    }


async def test_integers_of_the_metadata_are_given_as_they_were(user: User, master: Master) -> None:
    large = {"seed": 2**80, "bounds": [-(2**64), 2**64], "zero": -0.0}
    provider = {"name": "p", "api_key": "sk-plain", "metadata": large}
    created = await user.http.post("/api/llm/model/provider", json=provider)
    assert created.json()["metadata"] == large
    config = {"name": "c", "model": "m", "provider": "p"}
    assert (await user.http.post("/api/llm/model/config", json=config)).is_success
    async with user.chat() as chat:
        await chat.ask("hello")
    given = master.invocations[0].payload["configs"]["llm"]
    assert {name: given[name] for name in large} == large


async def test_the_newest_config_is_taken_where_none_is_named(user: User, master: Master) -> None:
    await user.create_config("newer")
    async with user.chat() as chat:
        await chat.ask("hello")
    assert master.invocations[0].payload["configs"]["llm"]["config_name"] == "newer"


async def test_only_active_agents_of_the_user_are_given(
    system: System, user: User, other_user: User, master: Master
) -> None:
    mine = await user.register_agent("mine", "is connected")
    await user.register_agent("away", "is not connected")
    foreign = await other_user.register_agent("foreign", "is another user's")
    async with (
        connected_agent(system, mine["jwt"]) as agent,
        connected_agent(system, foreign["jwt"]) as stranger,
    ):
        await agent.register("mine", "is connected")
        await stranger.register("foreign", "is another user's")
        await until_active(user, mine["id"])
        await until_active(other_user, foreign["id"])
        async with user.chat() as chat:
            await chat.ask("hello")
    [given] = master.invocations[0].payload["agents"]
    assert given == {
        "agent_id": mine["id"],
        "agent_name": mine["alias"],
        "agent_description": "is connected",
        "agent_schema": {**SCHEMA, "function": {**_function(), "name": mine["alias"]}},
    }


def _function() -> dict[str, object]:
    function = SCHEMA["function"]
    assert isinstance(function, dict)
    return function


async def test_files_are_given_with_the_ids_of_this_request(
    system: System, user: User, master: Master
) -> None:
    file_id = insert_file(system, user)
    async with user.chat() as chat:
        frame = await chat.ask("look", files=[str(file_id)])
    [given] = master.invocations[0].payload["files"]
    assert given == {
        "id": str(file_id),
        "session_id": chat.session_id,
        "request_id": frame["response"]["request_id"],
        "original_name": "a.txt",
        "mimetype": "text/plain",
        "internal_id": str(file_id),
        "internal_name": "a",
        "from_agent": False,
        "creator_id": user.id,
    }


async def _lookup(invocation: masters.Invocation) -> object:
    """A master agent of the generation that asks the REST API."""
    unknown = invocation.payload.keys() - {
        "user_id",
        "session_id",
        "timestamp",
        "configs",
        "files",
    }
    if unknown:
        raise AgentError(f"lookup() got an unexpected keyword argument '{min(unknown)}'")
    return answer("looked up")


async def test_the_bridge_finds_and_remembers_the_form_that_the_master_agent_knows(
    running: System, owner: User
) -> None:
    execute(running, FORGET)
    async with (
        run_master(running.router_url, _lookup) as master,
        owner.chat() as chat,
    ):
        answers = [(await chat.ask(text))["response"]["response"] for text in ("one", "two")]
        assert answers == [answer("looked up")] * 2
        tried = ["message" in invocation.payload for invocation in master.invocations]
        assert tried == [True, False, False]
        given = master.invocations[-1].payload
        assert (given["user_id"], given["session_id"]) == (owner.id, chat.session_id)
        assert given["configs"].keys() >= CONFIG_KEYS
        master.behave = masters.echo
        assert (await chat.ask("three"))["response"]["response"] == answer("echo: three")
        assert (await chat.ask("four"))["response"]["response"] == answer("echo: four")
        assert ["message" in each.payload for each in master.invocations[3:]] == [False, True, True]


async def test_the_form_is_remembered_over_restarts_and_by_other_bridges(
    running: System, owner: User
) -> None:
    execute(running, FORGET)
    async with run_master(running.router_url, _lookup) as master, owner.chat() as chat:
        assert (await chat.ask("one"))["response"]["response"] == answer("looked up")
        for number, count in ((2, 0), (3, 2)):
            keep_bridges(running, count)
            keep_bridges(running, 1)
            assert (await chat.ask("more"))["response"]["response"] == answer("looked up")
            assert len(master.invocations) == number + 1
    tried = ["message" in invocation.payload for invocation in master.invocations]
    assert tried == [True, False, False, False]
    [row] = select(running, "SELECT master_form FROM router_session")
    assert row == {"master_form": "lookup"}


async def test_without_the_row_the_form_is_found_and_remembered_anew(
    running: System, owner: User
) -> None:
    execute(running, "DELETE FROM router_session")
    async with run_master(running.router_url, _lookup), owner.chat() as chat:
        assert (await chat.ask("one"))["response"]["response"] == answer("looked up")
    assert select(running, "SELECT master_form AS it FROM router_session") == [{"it": "lookup"}]
    execute(running, FORGET)


async def test_the_provider_s_key_is_stored_encrypted_only(
    system: System, user: User, master: Master
) -> None:
    async with user.chat() as chat:
        await chat.ask("hello")
    assert master.invocations[0].payload["configs"]["llm"]["api_key"] == "sk-user-secret"
    rows = select(system, "SELECT * FROM modelproviders WHERE creator_id = %s", user.id)
    assert "sk-user-secret" not in json.dumps(rows, default=str)
