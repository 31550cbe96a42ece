"""Which of the URLs on a card may be called."""

import pytest

from gateway.a2a.interfaces import NEWER_ONLY, Interface, admit, needs_newer
from gateway.remote.errors import UnreachableError
from gateway.remote.left_out import LeftOut
from gateway.remote.outbound import Outbound
from shared.codec.converter import dump

CARD = "https://agent.example/weather/.well-known/agent-card.json"
ADDRESSES = {"agent.example": "93.184.216.34", "inner.example": "10.0.0.1"}
PRIVATE = "Its host inner.example is not on the public internet"


async def resolve(host: str, _port: int) -> list[str]:
    return [ADDRESSES[host]] if host in ADDRESSES else []


OUT = Outbound(10.0, allow_private=False, resolve=resolve)


def at(*urls: str) -> list[Interface]:
    return [Interface(url, "JSONRPC", "1.0") for url in urls]


async def test_what_leads_into_a_private_network_is_left_out_and_named() -> None:
    stated = at(
        "http://inner.example:9/?key=s3cret", "https://agent.example/rpc", "http://no.example"
    )
    admitted, left_out = await admit(OUT, stated, CARD)
    assert admitted == at("https://agent.example/rpc")
    assert left_out == [
        LeftOut("http://inner.example:9/", PRIVATE),
        LeftOut("http://no.example", "Its host no.example has no address"),
    ]


async def test_a_card_that_leads_to_a_private_network_alone_is_refused() -> None:
    with pytest.raises(UnreachableError) as caught:
        await admit(OUT, at("http://inner.example/a", "http://inner.example/b"), CARD)
    assert caught.value.sentence == f"Its card has it called at http://inner.example/a. {PRIVATE}"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://agent.example", "The URL must begin with http:// or https:// and name a host"),
        ("agent.example:443", "The URL must begin with http:// or https:// and name a host"),
        ("javascript:alert(1)", "The URL must begin with http:// or https:// and name a host"),
        ("https://u:p@agent.example", "The URL must not hold credentials"),
        ("https://agent.example/\ufffd", "The URL has characters that are none"),
        ("https://agent.example/" + "x" * 3000, "The URL has more than 2,048 characters"),
        ("http://[::", "This is not a URL"),
        ("http://0x7f.1/", "Its host 0x7f.1 has no address"),
    ],
)
async def test_what_is_no_address_is_left_out(url: str, reason: str) -> None:
    admitted, [left_out] = await admit(OUT, at(url, "https://agent.example/rpc"), CARD)
    assert admitted == at("https://agent.example/rpc")
    assert left_out.reason == reason


@pytest.mark.parametrize(
    ("stated", "url"),
    [("/rpc", "https://agent.example/rpc"), ("https://AGENT.example", "https://agent.example")],
)
async def test_a_url_may_leave_out_its_host(stated: str, url: str) -> None:
    assert await admit(OUT, at(stated), CARD) == (at(url), [])


async def test_where_private_addresses_are_allowed_names_of_others_are_too() -> None:
    out = Outbound(10.0, allow_private=True, resolve=resolve)
    stated = at("http://inner.example/", "http://host.docker.internal:9/a2a")
    assert await admit(out, stated, CARD) == (stated, [])


@pytest.mark.parametrize(
    ("interfaces", "is_newer"),
    [
        ([("JSONRPC", "1.0"), ("JSONRPC", "0.3")], False),
        ([("JSONRPC", "0.2.5")], False),
        ([("JSONRPC", "1.0")], True),
        ([("HTTP+JSON", "0.3"), ("GRPC", "0.3")], True),
    ],
)
def test_what_no_older_master_agent_can_call_is_told(
    interfaces: list[tuple[str, str]], is_newer: bool
) -> None:
    stated = [Interface("https://h", binding, version) for binding, version in interfaces]
    assert (needs_newer(dump(stated).decode()) == NEWER_ONLY) == is_newer
