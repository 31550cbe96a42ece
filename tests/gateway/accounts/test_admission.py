"""How often somebody may try to log in or to register, at gateways that bound it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from signal import SIGCONT, SIGSTOP
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from attrs import evolve
from redis import Redis

from devstack.valkey import ValkeyServer, run_valkey
from gateway.accounts.attempts import WINDOW_SECONDS
from tests.system import Stores, System
from tests.users import PASSWORD, SSL_CONTEXT

LOGIN, REGISTER, VALIDATE = "/api/login/access-token", "/api/register", "/api/validate-token"
PER_NAME, PER_ADDRESS, REGISTRATIONS = 4, 8, 6
FAILED, REFUSED = 400, 429


@pytest.fixture(scope="module")
def own_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """A server that may be stopped, and whose keys are all of these tests."""
    with run_valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="module")
def own_system(stores: Stores, own_valkey: ValkeyServer) -> Iterator[System]:
    """Two gateways: the first believes nobody about addresses, the second a proxy on this host."""
    with evolve(stores, valkey=own_valkey).system(
        LOGIN_FAILURES_PER_NAME=str(PER_NAME),
        LOGIN_FAILURES_PER_ADDRESS=str(PER_ADDRESS),
        REGISTRATIONS_PER_ADDRESS=str(REGISTRATIONS),
    ) as system:
        system.start_gateway()
        system.start_gateway(TRUSTED_PROXIES="127.0.0.1")
        yield system


@pytest.fixture
def redis(own_valkey: ValkeyServer) -> Iterator[Redis]:
    """The counters, all at zero."""
    with Redis.from_url(own_valkey.url) as redis:
        redis.flushall()
        yield redis


@pytest.fixture(scope="module")
async def clients(own_system: System) -> AsyncIterator[list[httpx2.AsyncClient]]:
    first, second = (
        httpx2.AsyncClient(base_url=url, timeout=30, verify=SSL_CONTEXT)
        for url in own_system.gateways
    )
    async with first, second:
        yield [first, second]


@pytest.fixture
def direct(clients: list[httpx2.AsyncClient], redis: Redis) -> httpx2.AsyncClient:
    """Asks the gateway that believes nobody."""
    return clients[0]


@pytest.fixture
def proxied(clients: list[httpx2.AsyncClient], redis: Redis) -> httpx2.AsyncClient:
    """Asks the gateway that believes its proxy, which is this test."""
    return clients[1]


@pytest.fixture(scope="module")
async def name(clients: list[httpx2.AsyncClient]) -> str:
    """Somebody who is registered."""
    new = {"username": f"user-{uuid4()}", "password": PASSWORD}
    assert (await clients[0].post(REGISTER, json=new)).status_code == 200
    return new["username"]


async def log_in(
    http: httpx2.AsyncClient, name: str, password: str = "wrong", address: str | None = None
) -> httpx2.Response:
    headers = {} if address is None else {"X-Forwarded-For": address}
    form = {"username": name, "password": password}
    return await http.post(LOGIN, data=form, headers=headers)


async def statuses(
    http: httpx2.AsyncClient, count: int, name: str, *, address: str | None = None
) -> list[int]:
    """What that many wrong passwords get, one after the other."""
    return [(await log_in(http, name, address=address)).status_code for _ in range(count)]


async def test_a_name_that_failed_too_often_is_refused(
    direct: httpx2.AsyncClient, name: str
) -> None:
    assert await statuses(direct, PER_NAME + 2, name) == [FAILED] * PER_NAME + [REFUSED] * 2


async def test_a_refusal_says_when_to_try_again_in_one_sentence(
    direct: httpx2.AsyncClient, name: str
) -> None:
    await statuses(direct, PER_NAME, name)
    answer = await log_in(direct, name)
    seconds = answer.headers["retry-after"]
    assert 0 < int(seconds) <= WINDOW_SECONDS
    sentence = f"Too many failed logins, please try again in {seconds} seconds"
    assert answer.json() == {
        "detail": sentence,
        "error": "temporarily_unavailable",
        "error_description": sentence,
    }


async def test_the_right_password_is_refused_like_a_wrong_one(
    direct: httpx2.AsyncClient, name: str
) -> None:
    await statuses(direct, PER_NAME, name)
    assert (await log_in(direct, name, PASSWORD)).status_code == REFUSED


async def test_a_name_that_nobody_has_is_refused_alike(direct: httpx2.AsyncClient) -> None:
    assert await statuses(direct, PER_NAME + 1, "nobody") == [FAILED] * PER_NAME + [REFUSED]


async def test_the_spellings_of_a_name_are_counted_together(
    direct: httpx2.AsyncClient, name: str
) -> None:
    spellings = [name, name.upper(), f" {name}", f"{name}\u200b", name.replace("u", "\uff55")]
    found = [(await log_in(direct, one)).status_code for one in spellings]
    assert found == [FAILED] * PER_NAME + [REFUSED]


async def test_another_name_is_not_refused(direct: httpx2.AsyncClient, name: str) -> None:
    await statuses(direct, PER_NAME + 1, "nobody")
    assert (await log_in(direct, name, PASSWORD)).status_code == 200


async def test_successes_are_not_counted(direct: httpx2.AsyncClient, name: str) -> None:
    answers = [await log_in(direct, name, PASSWORD) for _ in range(PER_ADDRESS + 1)]
    assert {answer.status_code for answer in answers} == {200}


async def test_successes_at_once_are_not_counted(direct: httpx2.AsyncClient, name: str) -> None:
    answers = await asyncio.gather(*(log_in(direct, name, PASSWORD) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}


async def test_attempts_at_once_get_no_further(
    direct: httpx2.AsyncClient, proxied: httpx2.AsyncClient, name: str
) -> None:
    asked = [log_in(http, name) for _ in range(20) for http in (direct, proxied)]
    found = [answer.status_code for answer in await asyncio.gather(*asked)]
    assert found.count(FAILED) == PER_NAME
    assert found.count(REFUSED) == len(found) - PER_NAME


async def test_an_address_that_failed_too_often_is_refused_for_all_names(
    direct: httpx2.AsyncClient, name: str
) -> None:
    failed = [await statuses(direct, 1, f"nobody {number}") for number in range(PER_ADDRESS)]
    assert failed == [[FAILED]] * PER_ADDRESS
    assert (await log_in(direct, name, PASSWORD)).status_code == REFUSED


async def test_a_forwarded_address_is_not_believed_by_default(
    direct: httpx2.AsyncClient, name: str
) -> None:
    found = [
        (await log_in(direct, name, address=f"192.0.2.{number}")).status_code
        for number in range(PER_NAME + 1)
    ]
    assert found[-1] == REFUSED


async def test_a_trusted_proxy_says_who_asks(proxied: httpx2.AsyncClient, name: str) -> None:
    assert (await statuses(proxied, PER_NAME + 1, name, address="192.0.2.1"))[-1] == REFUSED
    assert (await log_in(proxied, name, PASSWORD, address="192.0.2.2")).status_code == 200


async def test_what_a_client_says_before_the_proxy_is_not_believed(
    proxied: httpx2.AsyncClient, name: str
) -> None:
    for number in range(PER_NAME):
        await log_in(proxied, name, address=f"198.51.100.{number}, 192.0.2.1")
    answer = await log_in(proxied, name, address="203.0.113.7, 192.0.2.1")
    assert answer.status_code == REFUSED


async def test_a_network_of_ipv6_is_one_address(proxied: httpx2.AsyncClient, name: str) -> None:
    for number in range(PER_NAME):
        await log_in(proxied, name, address=f"2001:db8:0:1:{number}::1")
    inside = await log_in(proxied, name, PASSWORD, address="2001:db8:0:1::9")
    outside = await log_in(proxied, name, PASSWORD, address="2001:db8:0:2::9")
    assert (inside.status_code, outside.status_code) == (REFUSED, 200)


async def fail_from_everywhere(http: httpx2.AsyncClient, name: str) -> None:
    """Fail so often, from so many addresses, that the name is closed."""
    for number in range(PER_NAME * 10):
        address = f"192.0.2.{100 + number // PER_NAME}"
        assert (await log_in(http, name, address=address)).status_code == FAILED


async def test_a_name_that_is_tried_from_everywhere_stays_open_where_its_owner_was(
    proxied: httpx2.AsyncClient, name: str
) -> None:
    await log_in(proxied, name, PASSWORD, address="192.0.2.1")
    await fail_from_everywhere(proxied, name)
    known = await log_in(proxied, name, PASSWORD, address="192.0.2.1")
    unknown = await log_in(proxied, name, PASSWORD, address="192.0.2.2")
    assert (known.status_code, unknown.status_code) == (200, REFUSED)


async def test_registrations_from_an_address_are_bounded(direct: httpx2.AsyncClient) -> None:
    async def register(number: int) -> httpx2.Response:
        new = {"username": f"new-{uuid4()}", "password": PASSWORD}
        return await direct.post(REGISTER, json=new)

    answers = [await register(number) for number in range(REGISTRATIONS + 1)]
    assert [each.status_code for each in answers] == [200] * REGISTRATIONS + [REFUSED]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert isinstance(answers[-1].json()["detail"], str)


async def test_the_check_of_a_token_is_not_bounded(direct: httpx2.AsyncClient) -> None:
    answers = [await direct.post(VALIDATE, json={"token": "x"}) for _ in range(PER_ADDRESS * 2)]
    assert {answer.status_code for answer in answers} == {400}


async def test_no_counter_is_without_an_end_or_names_anybody(
    direct: httpx2.AsyncClient, name: str, redis: Redis
) -> None:
    await log_in(direct, "n" * 10_000, "some password")
    await log_in(direct, name, PASSWORD)
    keys: Any = redis.keys()
    assert len(keys) >= 4
    for key in keys:
        assert redis.ttl(key) > 0
        assert len(key) < 60
        assert name.encode() not in key


# The last tests, for Redis does not come back from the second one.


async def assert_answered_and_bounded(http: httpx2.AsyncClient, name: str, network: str) -> None:
    """Right passwords get in, wrong ones not for ever."""
    async with asyncio.timeout(10):
        at_once = [log_in(http, name, PASSWORD, f"{network}.1") for _ in range(10)]
        assert [each.status_code for each in await asyncio.gather(*at_once)] == [200] * 10
        found = await statuses(http, PER_NAME + 1, name, address=f"{network}.2")
        assert found == [FAILED] * PER_NAME + [REFUSED]


async def test_while_redis_hangs_logins_are_answered_and_bounded(
    proxied: httpx2.AsyncClient, name: str, own_valkey: ValkeyServer
) -> None:
    own_valkey.child.process.send_signal(SIGSTOP)
    try:
        await assert_answered_and_bounded(proxied, name, "192.0.2")
    finally:
        own_valkey.child.process.send_signal(SIGCONT)


async def test_without_redis_logins_are_answered_and_bounded(
    direct: httpx2.AsyncClient, proxied: httpx2.AsyncClient, name: str, own_valkey: ValkeyServer
) -> None:
    begun = asyncio.gather(*(log_in(direct, name, PASSWORD) for _ in range(10)))
    await asyncio.sleep(0)
    own_valkey.child.kill()
    assert [each.status_code for each in await begun] == [200] * 10
    await assert_answered_and_bounded(proxied, name, "198.51.100")
