"""What the stand-in router does beyond the recording: takeovers, lost identities, notices."""

import asyncio
import json

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from devstack.routing import Keys

from .router_client import connected, receive, send, token_of

NOT_ACTIVE = {"error_message": "Agent is NOT active", "error_type": "AgentNotActive"}
AGENT = "8da86215-0b08-4876-8267-06b7bd2bc819"


async def invoke(connection: ClientConnection, target: str, **payload: object) -> None:
    await send(connection, message_type="agent_invoke", agent_uuid=target, request_payload=payload)


async def answer(agent: ClientConnection, response: object) -> None:
    """Answer the invocation that is next to come."""
    invoked_by = (await receive(agent))["invoked_by"]
    await send(agent, message_type="agent_response", response=response, invoked_by=invoked_by)


async def test_a_second_connection_takes_the_identity_over_in_silence(router_url: str) -> None:
    async with (
        connected(router_url, x_custom_authorization=token_of(AGENT)) as first,
        connected(router_url, x_custom_authorization=token_of(AGENT)) as second,
        connected(router_url, x_custom_invoke_key="caller") as caller,
    ):
        await invoke(caller, AGENT, n=1)
        assert (await receive(second))["request_payload"] == {"n": 1}
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(first.recv(), 0.05)


async def test_the_identity_is_lost_when_the_older_connection_closes(
    router_url: str, keys: Keys
) -> None:
    async with (
        connected(router_url, API_KEY=keys.back_end) as back_end,
        connected(router_url, x_custom_authorization=token_of(AGENT)) as first,
        connected(router_url, x_custom_authorization=token_of(AGENT)),
        connected(router_url, x_custom_invoke_key="caller") as caller,
    ):
        await first.close()
        await receive(back_end)  # the router has noticed
        await invoke(caller, AGENT)
        assert await receive(caller) == {"message_type": "agent_error", "error": NOT_ACTIVE}


async def test_a_back_end_hears_itself_until_its_identity_is_lost(
    router_url: str, keys: Keys
) -> None:
    async with (
        connected(router_url, x_custom_invoke_key=f"{keys.back_end}:probe") as probe,
        connected(router_url, API_KEY=keys.back_end) as older,
        connected(router_url, API_KEY=keys.back_end) as newer,
    ):
        await invoke(probe, "master_server_be", n=1)
        echo = await receive(newer)
        assert echo == {"request_payload": {"n": 1}, "invoked_by": f"{keys.back_end}:probe"}
        await older.close()
        assert (await receive(probe))["error"]["agent_uuid"] == "master_server_be"
        await invoke(probe, "master_server_be", n=2)
        assert (await receive(probe))["error"] == NOT_ACTIVE


async def test_a_lane_is_told_when_the_master_agent_goes(router_url: str, keys: Keys) -> None:
    lane_key = f"{keys.back_end}:master_server_ml:1"
    async with connected(router_url, x_custom_invoke_key=lane_key) as lane:
        async with connected(router_url, API_KEY=keys.master_agent):
            pass
        error = {
            "error_message": "Agent has been unregistered",
            "agent_uuid": "master_server_ml",
        }
        assert await receive(lane) == {"message_type": "agent_error", "error": error}


async def test_the_back_end_is_told_who_left_but_not_of_its_own_lanes(
    router_url: str, keys: Keys
) -> None:
    async with connected(router_url, API_KEY=keys.back_end) as back_end:
        for invoke_key in (f"{keys.back_end}:master_server_ml:1", "one:other"):
            async with connected(router_url, x_custom_invoke_key=invoke_key):
                pass
        payload = {"message_type": "agent_unregister", "agent_uuid": "one:other"}
        assert await receive(back_end) == {"request_payload": payload}


async def test_an_answer_goes_to_the_last_connection_with_the_invoke_key(
    router_url: str, keys: Keys
) -> None:
    invoke_key = f"{keys.back_end}:constant"
    async with (
        connected(router_url, API_KEY=keys.master_agent) as master_agent,
        connected(router_url, x_custom_invoke_key=invoke_key) as asking,
        connected(router_url, x_custom_invoke_key=invoke_key) as last,
    ):
        await invoke(asking, "master_server_ml")
        await answer(master_agent, "for the first")
        assert (await receive(last))["response"] == "for the first"


async def test_answers_find_their_way_on_connections_that_are_used_again(
    router_url: str, keys: Keys
) -> None:
    async with (
        connected(router_url, API_KEY=keys.master_agent) as master_agent,
        connected(router_url, x_custom_invoke_key=f"{keys.back_end}:a") as one,
        connected(router_url, x_custom_invoke_key=f"{keys.back_end}:b") as other,
    ):
        for turn in range(3):
            for name, lane in (("one", one), ("other", other)):
                await invoke(lane, "master_server_ml", turn=turn)
                await answer(master_agent, [name, turn])
        assert [(await receive(one))["response"] for _ in range(3)] == [
            ["one", n] for n in (0, 1, 2)
        ]
        assert [(await receive(other))["response"][0] for _ in range(3)] == ["other"] * 3


async def test_a_log_bears_the_name_of_its_connection_and_not_the_one_it_claims(
    router_url: str, keys: Keys
) -> None:
    async with (
        connected(router_url, API_KEY=keys.back_end) as back_end,
        connected(router_url, x_custom_authorization=token_of(AGENT)) as agent,
    ):
        await send(agent, message_type="agent_log", agent_uuid="master_server_ml", more=1)
        payload = {"message_type": "agent_log", "agent_uuid": AGENT, "more": 1}
        assert await receive(back_end) == {"request_payload": payload}


async def test_a_text_that_is_no_token_is_an_identity(router_url: str) -> None:
    async with (
        connected(router_url, x_custom_authorization="anybody") as anybody,
        connected(router_url, x_custom_invoke_key="caller") as caller,
    ):
        await invoke(caller, "anybody", n=1)
        assert (await receive(anybody))["invoked_by"] == "caller"


async def test_a_connection_that_does_not_read_delays_nobody(router_url: str, keys: Keys) -> None:
    async with (
        connected(router_url, API_KEY=keys.back_end) as never_reading,
        connected(router_url, x_custom_authorization=token_of(AGENT)) as agent,
        connected(router_url, x_custom_invoke_key="caller") as caller,
    ):
        for _ in range(20):
            await send(agent, message_type="agent_log", log_message="x" * 1_000_000)
        await invoke(caller, "nobody")
        assert (await receive(caller))["error"] == NOT_ACTIVE
        never_reading.transport.abort()


async def test_a_frame_of_many_megabytes_passes(router_url: str, keys: Keys) -> None:
    async with (
        connected(router_url, API_KEY=keys.master_agent) as master_agent,
        connected(router_url, x_custom_invoke_key=f"{keys.back_end}:a") as lane,
    ):
        await invoke(lane, "master_server_ml")
        await answer(master_agent, "x" * 20_000_000)
        assert len((await receive(lane))["response"]) == 20_000_000


async def test_hundreds_of_connections_are_each_given_their_own_answer(
    router_url: str, keys: Keys
) -> None:
    async def echo(master_agent: ClientConnection) -> None:
        async for text in master_agent:
            frame = json.loads(text)
            response = {"response": frame["request_payload"], "invoked_by": frame["invoked_by"]}
            await send(master_agent, message_type="agent_response", **response)

    async def ask(number: int) -> bool:
        lane_key = f"{keys.back_end}:{number:04}"
        async with connected(router_url, x_custom_invoke_key=lane_key) as lane:
            await invoke(lane, "master_server_ml", number=number)
            return bool((await receive(lane))["response"] == {"number": number})

    async with connected(router_url, API_KEY=keys.master_agent) as master_agent:
        echoing = asyncio.create_task(echo(master_agent))
        assert all(await asyncio.gather(*(ask(number) for number in range(300))))
        echoing.cancel()


async def test_another_path_is_refused(router_url: str) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        await connect(f"{router_url}/")


async def test_a_wrong_key_is_accepted_and_then_sent_away(router_url: str) -> None:
    async with connected(router_url, API_KEY="wrong") as connection:
        with pytest.raises(ConnectionClosed, match=r"4000.*Missing Authorization header"):
            await connection.recv()
