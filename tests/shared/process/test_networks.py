"""Who counts as one, and who is in a network."""

import pytest

from shared.process.networks import Networks, network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("unknown", "unknown"),
    ],
)
def test_who_asks_is_an_address_or_a_network(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize("host", ["10.0.1.7", "::1", "unknown", ""])
def test_what_is_in_none_of_the_networks_is_not_in_them(host: str) -> None:
    networks = Networks(["10.0.0.0/24", "fd00::/8"])
    assert "10.0.0.7" in networks
    assert "fd00::7" in networks
    assert host not in networks
