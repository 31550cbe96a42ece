"""Which headers a server may be sent, and that nobody else is."""

import httpx2
import pytest
from msgspec import UNSET

from gateway.remote.credentials import (
    ALL_LIMIT,
    HEADERS_LIMIT,
    NAME_LIMIT,
    VALUE_LIMIT,
    Credentials,
    change,
    objection_to_headers,
)
from gateway.remote.outbound import Outbound
from tests.gateway.remote.test_outbound import OK, answering, listening

SECRET = "s3cret-value"
OUT = Outbound(10.0, allow_private=True)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Api-Key": SECRET},
        {"Authorization": "Basic dTpw"},
        {"Cookie": "a=b; c=d"},
        {"X-Key": "x" * VALUE_LIMIT},
        {"x" * NAME_LIMIT: "y"},
        {f"X-{number}": "y" for number in range(HEADERS_LIMIT)},
    ],
)
def test_headers_of_one_s_own_may_be_sent(headers: dict[str, object]) -> None:
    assert objection_to_headers(headers) is None


@pytest.mark.parametrize(
    ("headers", "fault"),
    [
        ({"": SECRET}, "names as HTTP has them"),
        ({"X Key": SECRET}, "names as HTTP has them"),
        ({"X-Key\r\nHost": SECRET}, "names as HTTP has them"),
        ({"X-Schlüssel": SECRET}, "names as HTTP has them"),
        ({"x" * (NAME_LIMIT + 1): SECRET}, "names as HTTP has them"),
        ({5: SECRET}, "names as HTTP has them"),
        ({"X-Key": f"{SECRET}\r\nX-Other: 1"}, "visible ASCII characters for X-Key"),
        ({"X-Key": f"{SECRET}\n"}, "visible ASCII characters for X-Key"),
        ({"X-Key": f" {SECRET}"}, "visible ASCII characters for X-Key"),
        ({"X-Key": f"ü{SECRET}"}, "visible ASCII characters for X-Key"),
        ({"X-Key": ""}, "visible ASCII characters for X-Key"),
        ({"X-Key": 5}, "visible ASCII characters for X-Key"),
        ({"X-Key": [SECRET]}, "visible ASCII characters for X-Key"),
        ({"X-Key": "x" * (VALUE_LIMIT + 1)}, "at most 8,192 characters for X-Key"),
        ({"X-Key": SECRET, "x-key": "other"}, "each name once"),
        ({f"X-{number}": SECRET for number in range(HEADERS_LIMIT + 1)}, "at most 20"),
        ({f"X-{n}": "x" * (ALL_LIMIT // 2) for n in range(3)}, "at most 16,384 characters"),
        *[
            ({name: SECRET}, f"must not hold {name}")
            for name in (
                *("Host", "content-length", "Transfer-Encoding", "Connection", "TE", "Trailer"),
                *("Upgrade", "Keep-Alive", "Proxy-Authorization", "Expect", "Content-Type"),
                *("Accept", "Accept-Encoding", "Mcp-Session-Id", "MCP-Protocol-Version"),
                *("Mcp-Param-Region", "Last-Event-ID", "A2A-Version", "Sec-Fetch-Site"),
            )
        ],
    ],
)
def test_what_may_not_be_sent_is_told_without_its_value(
    headers: dict[object, object], fault: str
) -> None:
    objection = objection_to_headers(headers)
    assert objection is not None
    assert fault in objection
    assert SECRET not in objection


def test_changes_leave_what_they_do_not_name() -> None:
    stored = {"X-A": "1", "X-B": "2", "authorization": "Basic dTpw"}
    assert change(stored, UNSET, UNSET) == stored
    assert change(stored, {"x-a": None, "X-C": "3"}, UNSET) == {
        "X-B": "2",
        "authorization": "Basic dTpw",
        "X-C": "3",
    }
    bearer = {"X-A": "1", "X-B": "2", "Authorization": "Bearer t"}
    assert change(stored, UNSET, "t") == bearer
    assert change(stored, {"AUTHORIZATION": "Basic eA=="}, "t") == bearer
    assert change(stored, UNSET, None) == {"X-A": "1", "X-B": "2"}


@pytest.mark.parametrize(
    ("url", "is_sent"),
    [
        ("https://host.example/mcp", True),
        ("https://HOST.example:443/other?x", True),
        ("http://host.example/mcp", False),
        ("https://host.example:8443/mcp", False),
        ("https://other.example/mcp", False),
        ("https://sub.host.example/mcp", False),
    ],
)
def test_only_the_server_itself_is_sent_them(url: str, is_sent: bool) -> None:
    credentials = Credentials("https://host.example/mcp", {"X-Key": SECRET})
    assert bool(credentials.of(httpx2.URL(url))) == is_sent
    assert SECRET not in repr(credentials)


async def test_nothing_of_the_client_s_holds_them() -> None:
    seen: list[bytes] = []
    moved = b"HTTP/1.1 307 Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n"
    async with listening(answering(OK, seen)) as other:
        target = f"http://127.0.0.1:{other}/"
        async with listening(answering(moved % target.encode(), seen)) as port:
            url = f"http://127.0.0.1:{port}/mcp"
            credentials = Credentials(url, {"Authorization": f"Bearer {SECRET}", "X-Key": SECRET})
            async with OUT.visit(credentials=credentials) as http:
                answer = await http.get(url)
                assert answer.next_request is not None
                followed = await http.send(answer.next_request)
    assert SECRET not in str(answer.request.headers.raw)
    assert followed.text == "ok"
    first, second = seen
    assert first.count(SECRET.encode()) == 2
    assert SECRET.encode() not in second
