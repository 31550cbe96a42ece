"""Connections without a token: how many an address may have, and what they are told."""

from uuid import uuid4

import pytest

from shared.process.strangers import Strangers

CLIENT = "192.0.2.7"


def admitted(strangers: Strangers, host: str, count: int) -> int:
    """How many of so many new ones are admitted."""
    return sum(strangers.admit(uuid4(), host) for _ in range(count))


def test_an_address_has_as_many_as_it_may_and_others_have_their_own() -> None:
    strangers = Strangers(3, [])
    assert admitted(strangers, CLIENT, 5) == 3
    assert admitted(strangers, "192.0.2.8", 5) == 3


def test_one_that_is_known_or_gone_makes_room_once() -> None:
    strangers = Strangers(1, [])
    assert strangers.admit("first", CLIENT)
    assert "first" in strangers
    strangers.forget("first")
    strangers.forget("first")
    assert "first" not in strangers
    assert admitted(strangers, CLIENT, 2) == 1


def test_nothing_is_left_of_those_that_are_gone() -> None:
    strangers = Strangers(2, [])
    for number in range(100):
        strangers.admit(number, f"192.0.2.{number}")
        strangers.forget(number)
    assert not strangers._networks
    assert not strangers._counts


def test_addresses_of_one_ipv6_network_count_together() -> None:
    strangers = Strangers(2, [])
    assert [strangers.admit(n, f"2001:db8:1:2::{n}") for n in (1, 2, 3)] == [True, True, False]
    assert strangers.admit(4, "2001:db8:1:3::1")


@pytest.mark.parametrize("proxy", ["10.0.0.7", "fd00::7"])
def test_a_trusted_proxy_is_not_counted(proxy: str) -> None:
    assert admitted(Strangers(1, ["10.0.0.0/24", "fd00::/8"]), proxy, 5) == 5


def test_0_is_any_number() -> None:
    assert admitted(Strangers(0, []), CLIENT, 5) == 5
