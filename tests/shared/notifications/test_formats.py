"""What is said between two services that may be of different versions."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from shared.notifications import formats
from shared.notifications.bus import Message
from shared.notifications.formats import (
    Addition,
    Additions,
    AskedParts,
    Frames,
    HeardPart,
    Heartbeat,
    Look,
    Request,
    Told,
)
from shared.telemetry import seldom
from shared.telemetry.snapshots import Distribution, Process

ID = UUID("49d7aaaf-a173-4a9f-a84c-29dbb5f8b50e")
ADDED = Additions(Request(ID, None), [Addition(None, 0, "Zwölf\n"), Addition(ID, 7, "\u2028")])
HEARD = HeardPart("master_server_ml", str(ID), "part", is_verified=False)
PROCESS = Process(
    id=ID,
    service="gateway",
    version="1",
    python="3",
    host="a",
    pid=1,
    address="a:1",
    started_at=datetime(2026, 1, 31),  # noqa: DTZ001 (as what is written is read)
    told_at=datetime(2026, 1, 31, 9, 15),  # noqa: DTZ001
    is_draining=False,
    gauges={"sockets_open": 1.0},
    counters={"http_requests.2xx": 2.0},
    distributions={"loop_lag_seconds": Distribution([0.1], [1, 2], 0.5)},
)
TOLD = Told(ID, PROCESS)
CASES: dict[str, tuple[bytes, Callable[[Message], object], object]] = {
    "waiting": (formats.encode_waiting(ID), formats.decode_waiting, ID),
    "cancelled": (formats.encode_cancelled(ID), formats.decode_cancelled, ID),
    "revoked": (formats.encode_revoked(ID), formats.decode_revoked, ID),
    "heartbeat": (
        formats.encode_heartbeat(Heartbeat(ID, is_leaving=True)),
        formats.decode_heartbeat,
        Heartbeat(ID, is_leaving=True),
    ),
    "frames": (
        formats.encode_frames(7, [b"{}", b"[]"]),
        formats.decode_frames,
        Frames(7, ["{}", "[]"]),
    ),
    "frames of an answer": (
        formats.encode_frames(7, [b"{}"], Request(ID, ID), is_answered=True),
        formats.decode_frames,
        Frames(7, ["{}"], Request(ID, ID), is_answered=True),
    ),
    "frames of a message that has no name": (
        formats.encode_frames(7, [b"{}"], Request(ID)),
        formats.decode_frames,
        Frames(7, ["{}"], Request(ID)),
    ),
    "additions": (formats.encode_additions(ADDED), formats.decode_additions, ADDED),
    "heard": (formats.encode_heard(HEARD), formats.decode_heard, HEARD),
    "look": (formats.encode_look(Look(ID, ID)), formats.decode_look, Look(ID, ID)),
    "told": (formats.encode_told(TOLD), formats.decode_told, TOLD),
    "asked": (formats.encode_asked(AskedParts(ID, ID)), formats.decode_asked, AskedParts(ID, ID)),
}


def skipped(name: str) -> float:
    format_ = {"format": name.split(maxsplit=1)[0]}
    return REGISTRY.get_sample_value("genai_notifications_skipped_total", format_) or 0.0


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_heard(name: str) -> None:
    message, decode, meaning = CASES[name]
    before = skipped(name)
    assert decode(message) == meaning
    assert skipped(name) == before


@pytest.mark.parametrize("name", CASES)
def test_a_gap_is_no_fault(name: str) -> None:
    before = skipped(name)
    assert CASES[name][1](None) is None
    assert skipped(name) == before


@pytest.mark.parametrize("name", CASES)
def test_a_later_version_is_skipped_and_counted(name: str) -> None:
    message, decode, _ = CASES[name]
    before = skipped(name)
    format_, _, body = message.partition(b" ")
    assert decode(format_ + b"0 " + body) is None
    assert decode(format_[:-1] + b"%d " % (int(format_[-1:]) + 1) + body) is None
    assert skipped(name) == before + 2


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("body", [b"\xff", b"-1\n{}", b"no id", str(ID).encode() + b" rests"])
def test_what_is_malformed_is_skipped_and_counted(name: str, body: bytes) -> None:
    before = skipped(name)
    message, decode, _ = CASES[name]
    assert decode(message.split(b" ")[0] + b" " + body) is None
    assert skipped(name) == before + 1


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("message", [b"", b"\xff", b"7\n{}", str(ID).encode()])
def test_what_has_no_version_is_skipped_and_counted(name: str, message: bytes) -> None:
    before = skipped(name)
    assert CASES[name][1](message) is None
    assert skipped(name) == before + 1


@pytest.mark.parametrize("name", CASES)
@settings(derandomize=True, deadline=None, database=None)
@given(body=st.binary(max_size=60), keeps_header=st.booleans())
def test_whatever_comes_is_heard_or_skipped_and_raises_nothing(
    name: str, body: bytes, *, keeps_header: bool
) -> None:
    message, decode, _ = CASES[name]
    before = skipped(name)
    header = message.split(b" ")[0] + b" " if keeps_header else b""
    heard = decode(header + body)
    assert heard is not None or skipped(name) == before + 1 or header + body == b"waiting/1 "


def test_a_process_may_tell_more_than_is_known_here() -> None:
    message = formats.encode_told(TOLD).replace(b'"service"', b'"new":{"a":[1]},"service"')
    assert formats.decode_told(message) == TOLD


def test_what_is_skipped_is_logged_once_a_second(caplog: pytest.LogCaptureFixture) -> None:
    seldom._kinds.clear()
    for _ in range(1000):
        formats.decode_revoked(b"nonsense")
    [record] = caplog.records
    assert record.getMessage() == "a notification was skipped: no revoked that is known here"


def test_that_some_request_waits_names_none() -> None:
    before = skipped("waiting")
    assert formats.decode_waiting(formats.encode_waiting(None)) is None
    assert skipped("waiting") == before
