"""A log line is one line, says whom it is about and holds no secret, whatever is logged."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from typing import Any
from uuid import uuid4

import pytest

from gateway.keys.format import make_key
from shared.telemetry.logging import WAITING_LINES, StderrHandler, bind_log_ids, create_formatter
from shared.telemetry.redaction import LIMIT, hide_secrets
from tests.system import PROJECT, System
from tests.users import User, eventually

SECRET = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF_123"
KNOWN = 'pass"word\\1'


def write(message: str, *arguments: object, error: Exception | None = None) -> str:
    """The line of a process that collects logs."""
    return _format(message, *arguments, error=error, is_text=False)


def _format(message: str, *arguments: object, error: Exception | None = None, is_text: bool) -> str:
    cause = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("name", logging.INFO, "p", 1, message, arguments, cause)
    return create_formatter([KNOWN], is_text=is_text).format(record)


def event(message: str, *arguments: object) -> Any:
    return json.loads(write(message, *arguments))["event"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/frontend/ws?token=", ""),
        ("/frontend/ws?token=", "&session_id=5"),
        ("/frontend/ws?session_id=5&token=", ""),
        ("/frontend/ws?session_id=5&Token=", "&after=7"),
        ('"GET /frontend/ws?token=', ' HTTP/1.1" 101'),
        ("Authorization: Bearer ", " was sent"),
        ("authorization: basic ", ""),
        ("{'api_key': '", "', 'model': 'm'}"),
        ('{"x-custom-invoke-key": "', '"}'),
        ('{"password":"', '"}'),
        ("redis://user:", "@host:6379/0"),
        ("the agent says ", " is its own"),
    ],
)
def test_a_secret_is_hidden_and_nothing_else(before: str, after: str) -> None:
    assert hide_secrets(f"{before}{SECRET}{after}") == f"{before}********{after}"


@pytest.mark.parametrize("key", [make_key(), f"genair_{'A-_b' * 21}"], ids=["key", "refresh"])
def test_a_key_of_ours_is_hidden(key: str) -> None:
    assert hide_secrets(f"GET /frontend/ws?token={key}&after=7") == (
        "GET /frontend/ws?token=********&after=7"
    )
    assert hide_secrets(f"key {key}, {key}.") == "key ********, ********."


def test_a_provider_s_key_is_hidden() -> None:
    assert hide_secrets("wrong key sk-proj-1234567890abcdef.") == "wrong key ********."


def test_a_token_in_the_arguments_is_hidden() -> None:
    text = event('%s - "WebSocket %s" [accepted]', "1.2.3.4", f"/frontend/ws?token={SECRET}")
    assert text == '1.2.3.4 - "WebSocket /frontend/ws?token=********" [accepted]'


@pytest.mark.parametrize("form", [KNOWN, json.dumps(KNOWN), json.dumps(json.dumps(KNOWN))])
def test_a_secret_of_the_settings_is_hidden_in_json_too(form: str) -> None:
    assert "word" not in write("%s", form)


def test_a_secret_in_a_traceback_is_hidden() -> None:
    line = write("failed", error=ValueError(f"{KNOWN} /ws?token={SECRET}"))
    assert (SECRET in line, "word" in line, "ValueError" in line) == (False, False, True)


def test_a_line_without_a_secret_stays_as_it_is() -> None:
    assert event("%s of %d: the token is not valid, Привіт", "a", 5) == (
        "a of 5: the token is not valid, Привіт"
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b", "\x85", "\u2028", "\x1b[2K", "\ud800"])
@pytest.mark.parametrize("is_text", [False, True])
def test_what_is_logged_can_t_forge_a_line(end: str, is_text: bool) -> None:
    line = _format("an id: %s", f"5{end}2026-01-01 forged", is_text=is_text)
    assert (len(line.splitlines()), line.isprintable()) == (1, True)


def test_a_traceback_is_one_line_of_json() -> None:
    line = write("failed", error=ValueError("first\nsecond"))
    assert len(line.splitlines()) == 1
    assert json.loads(line)["exception"].endswith("ValueError: first\nsecond")


def test_a_traceback_can_t_forge_a_line_of_text() -> None:
    text = _format("failed", error=ValueError("first\n2026 forged"), is_text=True)
    assert [line for line in text.splitlines() if line.startswith("2026 forged")] == []


def test_a_huge_message_loses_its_middle() -> None:
    assert len(event("%s", "x" * 10 * LIMIT)) < LIMIT + 100


def test_half_a_secret_does_not_outlive_the_cut() -> None:
    for shift in range(len(KNOWN)):
        text = event("%s", "." * (LIMIT // 2 - shift) + KNOWN + "." * 2 * LIMIT)
        assert set(text[: LIMIT // 2]) <= {".", "*"}


async def test_a_task_says_whom_it_is_about_and_its_neighbour_does_not() -> None:
    request_id = uuid4()

    async def work() -> str:
        bind_log_ids(request_id=request_id)
        return await asyncio.create_task(write_later())

    async def write_later() -> str:
        return write("something")

    line, other = await asyncio.gather(asyncio.create_task(work()), write_later())
    assert json.loads(line)["request_id"] == str(request_id)
    assert "request_id" not in json.loads(other)


DROPPED = "lines were dropped before this one"
STALLED = f"""
import logging, sys, time
from shared.telemetry.logging import configure_logging
configure_logging(debug=False)
begun = time.monotonic()
for number in range({3 * WAITING_LINES}):
    logging.info("line %d %s", number, "x" * 200)
print("went on", flush=True)
sys.stdin.readline()
logging.info("heard again")
"""


def test_a_pipe_that_nobody_reads_stops_nothing_and_the_log_says_what_is_missing() -> None:
    reading, writing = os.pipe()
    command = [sys.executable, "-W", "error", "-c", STALLED]
    with subprocess.Popen(
        command,
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=writing,
        text=True,
    ) as process:
        os.close(writing)
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "went on\n"
        with os.fdopen(reading) as pipe:
            first = [next(pipe) for _ in range(WAITING_LINES // 2)]
            process.stdin.write("\n")
            process.stdin.close()
            lines = [json.loads(line)["event"] for line in (*first, *pipe)]
    assert process.returncode == 0
    assert "heard again" in lines
    told = [int(line.split()[0]) for line in lines if line.endswith(DROPPED)]
    assert sum(told) == 3 * WAITING_LINES + 1 - (len(lines) - len(told)) > 0


def test_what_is_missing_is_told_when_there_is_room_for_it() -> None:
    handler = StderrHandler()
    handler.close()  # nobody writes any more
    logger = logging.getLogger("shared.telemetry.logging")
    logger.addHandler(handler)
    try:
        for number in range(WAITING_LINES + 3):
            logger.warning("line %d", number)
        for room in (1, 2):
            for _ in range(room):
                handler._lines.get_nowait()
            logger.warning("room for %d", room)
    finally:
        logger.removeHandler(handler)
    left = [handler._lines.get_nowait() for _ in range(WAITING_LINES)]
    assert [record and record.msg for record in left[-3:]] == [
        "room for 1",
        "room for 2",
        f"3 {DROPPED}",
    ]


async def test_the_log_of_a_real_gateway_shows_a_socket_without_its_token(
    system: System, user: User
) -> None:
    async with user.chat() as chat:

        async def logged() -> bool:
            return chat.session_id in system.log_of("gateway 1")

        await eventually(logged, "the socket is in the log")
    log = system.log_of("gateway 1")
    assert (user.token in log, "token=********" in log) == (False, True)
