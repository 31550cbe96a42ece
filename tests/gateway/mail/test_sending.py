"""Letters on their way to a mail server that refuses, stays away or does not encrypt."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import attrs
import pytest

from gateway.mail import sending
from gateway.mail.sending import Letter, Mail
from shared.postgres.pool import DatabaseAwayError
from shared.settings.installation import Settings
from tests.mailbox import Mailbox, run_mailbox
from tests.users import eventually

SENDER = "Chat <chat@example.com>"
LETTER = Letter("ada@example.com", "Größe", "Hello Ada")


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with run_mailbox() as mailbox:
        yield mailbox


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "PAUSES", (0.0, 0.0))


@asynccontextmanager
async def sent(settings: Settings, url: str) -> AsyncIterator[Mail]:
    """Mail of a gateway that sends it to this server."""
    mail = Mail(attrs.evolve(settings, smtp_url=url, smtp_from=SENDER))
    task = asyncio.create_task(mail.run())
    yield mail
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def write() -> Letter:
    return LETTER


async def write_nothing() -> None:
    return None


def failing(error: Exception) -> Callable[[], Awaitable[Letter]]:
    """Writes a letter at the second try."""
    errors = [error]

    async def write_later() -> Letter:
        if errors:
            raise errors.pop()
        return LETTER

    return write_later


async def test_letters_come_in_order_and_one_that_there_is_not_is_passed_over(
    settings: Settings, mailbox: Mailbox
) -> None:
    async with sent(settings, mailbox.url) as mail:
        assert [mail.post(each) for each in (write_nothing, write, write)] == [True] * 3
        first, second = await mailbox.read(), await mailbox.read()
    assert (first["To"], first["From"], first["Subject"]) == (LETTER.to, SENDER, LETTER.subject)
    assert first.get_content().strip() == LETTER.text
    assert first["Message-ID"].endswith("@example.com>")
    assert first["Message-ID"] != second["Message-ID"]


@pytest.mark.parametrize("answer", ["451 later", "421 later"])
async def test_a_letter_that_is_to_come_later_is_sent_again(
    settings: Settings, mailbox: Mailbox, answer: str
) -> None:
    mailbox.answers.append(answer)
    async with sent(settings, mailbox.url) as mail:
        mail.post(write)
        assert (await mailbox.read())["To"] == LETTER.to


async def test_a_letter_that_could_not_be_written_is_written_again(
    settings: Settings, mailbox: Mailbox
) -> None:
    async with sent(settings, mailbox.url) as mail:
        mail.post(failing(DatabaseAwayError("away")))
        assert (await mailbox.read())["To"] == LETTER.to


async def test_a_letter_that_is_refused_for_good_is_given_up_and_the_log_says_no_address(
    settings: Settings, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    mailbox.answers.append(f"550 no such user {LETTER.to}")
    async with sent(settings, mailbox.url) as mail:
        mail.post(write)
        mail.post(write)
        await mailbox.read()
    assert mailbox.mails.empty()
    assert "a mail was not sent: SMTPDataError 550" in caplog.text
    assert LETTER.to not in caplog.text


async def test_a_server_that_does_not_encrypt_gets_nothing(
    settings: Settings, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    async def is_told() -> bool:
        return "a mail was not sent" in caplog.text

    url = f"smtp://chat:secret-of-mail@127.0.0.1:{mailbox.port}"
    async with sent(settings, url) as mail:
        mail.post(write)
        await eventually(is_told, "it is logged that the mail was not sent")
    assert mailbox.mails.empty()
    assert "secret-of-mail" not in caplog.text


def test_no_more_wait_than_there_is_room_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "WAITING_LIMIT", 2)
    mail = Mail(settings)
    assert [mail.post(write) for _ in range(3)] == [True, True, False]
