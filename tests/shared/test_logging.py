"""No token gets into a log."""

import logging

import pytest

from shared.logging import WithoutTokens
from tests.system import System
from tests.users import User, eventually

SECRET = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF_123"


def filtered(message: str, *arguments: object) -> str:
    record = logging.LogRecord("n", logging.INFO, "p", 1, message, arguments, None)
    assert WithoutTokens().filter(record)
    return record.getMessage()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/frontend/ws?token=", ""),
        ("/frontend/ws?token=", "&session_id=5"),
        ("/frontend/ws?session_id=5&token=", ""),
        ("/frontend/ws?session_id=5&Token=", "&after=7"),
        ('"GET /frontend/ws?token=', ' HTTP/1.1" 101'),
    ],
)
def test_the_token_of_a_url_is_hidden_and_nothing_else(before: str, after: str) -> None:
    assert filtered(f"{before}{SECRET}{after}") == f"{before}********{after}"


def test_a_token_in_the_arguments_is_hidden() -> None:
    text = filtered('%s - "WebSocket %s" [accepted]', "1.2.3.4", f"/frontend/ws?token={SECRET}")
    assert text == '1.2.3.4 - "WebSocket /frontend/ws?token=********" [accepted]'


def test_a_line_without_a_token_stays_as_it_is() -> None:
    assert filtered("%s of %d", "a", 5) == "a of 5"


async def test_the_log_of_a_real_gateway_shows_a_socket_without_its_token(
    system: System, user: User
) -> None:
    async with user.chat() as chat:

        async def logged() -> bool:
            return chat.session_id in system.log_of("gateway 1")

        await eventually(logged, "the socket is in the log")
    log = system.log_of("gateway 1")
    assert (user.token in log, "token=********" in log) == (False, True)
