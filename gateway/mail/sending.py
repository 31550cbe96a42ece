"""Sends mail in the background, one letter after the other: nobody waits for a mail server."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr

import aiosmtplib
from attrs import frozen

from shared.postgres.pool import DatabaseAwayError
from shared.settings.gateway import GatewaySettings
from shared.settings.smtp import read_smtp

logger = logging.getLogger(__name__)

WAITING_LIMIT = 1000  # letters that are not sent yet
SEND_SECONDS = 60.0
PAUSES = (2.0, 10.0, 30.0)  # before it is tried once more
PERMANENT = 500  # and above: a refusal for good (RFC 5321, 4.2.1)


@frozen
class Letter:
    """A mail to one address."""

    to: str
    subject: str
    text: str


type Write = Callable[[], Awaitable[Letter | None]]
"""Makes a letter when its turn comes, or finds that there is none to send."""


class Mail:
    """What waits, in the memory of this process: a letter that is lost is asked for again."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._server = read_smtp(settings.smtp_url) if settings.smtp_url else None
        self._sender = settings.smtp_from or ""
        self._waiting = asyncio.Queue[Write](WAITING_LIMIT)

    @property
    def is_sent(self) -> bool:
        """Whether there is a server for it."""
        return self._server is not None

    def post(self, write: Write) -> bool:
        """Have a letter written and sent; False: too many wait."""
        if self._waiting.full():
            return False
        self._waiting.put_nowait(write)
        return True

    async def run(self) -> None:
        """Send for ever."""
        while True:
            write = await self._waiting.get()
            # In a task of its own: one that is cut off in a query can't ask again.
            await asyncio.create_task(self._deliver(write))

    async def _deliver(self, write: Write) -> None:
        for pause in (*PAUSES, None):
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await self._send(await write())
            except (DatabaseAwayError, aiosmtplib.SMTPException, OSError) as error:
                if pause is None or _is_permanent(error):
                    logger.warning("a mail was not sent: %s", _tell(error))
                    return
                await asyncio.sleep(pause)
            else:
                return

    async def _send(self, letter: Letter | None) -> None:
        server = self._server
        if letter is None or server is None:
            return
        await aiosmtplib.send(
            self._compose(letter),
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.is_tls,
            start_tls=server.starts_tls,
            timeout=SEND_SECONDS,
        )

    def _compose(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = letter.to
        message["Subject"] = letter.subject
        message["Date"] = formatdate()
        _, _, domain = parseaddr(self._sender)[1].rpartition("@")
        message["Message-ID"] = make_msgid(domain=domain)  # by default it asks for a host's name
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers it
        message.set_content(letter.text)
        return message


def _is_permanent(error: Exception) -> bool:
    """Whether the server will say the same the next time."""
    match error:
        case aiosmtplib.SMTPRecipientsRefused():
            return all(each.code >= PERMANENT for each in error.recipients)
        case aiosmtplib.SMTPResponseException():
            return error.code >= PERMANENT
    return False


def _tell(error: Exception) -> str:
    """What happened, without the server's words: they may hold the address."""
    code = getattr(error, "code", "")
    return f"{type(error).__name__} {code}".strip()
