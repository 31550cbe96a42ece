"""A mail server that keeps what it is sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from re import search
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from attrs import define, field

from devstack.processes import HOST

SECONDS = 10.0  # which only a test that fails waits


@define
class Mailbox:
    """The mails in the order in which they came; `answers` are told before any is kept."""

    port: int = 0
    mails: asyncio.Queue[EmailMessage] = field(factory=asyncio.Queue)
    answers: list[str] = field(factory=list)

    @property
    def url(self) -> str:
        """For SMTP_URL."""
        return f"smtp://{HOST}:{self.port}?starttls=false"

    async def handle_DATA(  # noqa: N802 (aiosmtpd's name)
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep a mail, or answer what is to be answered first."""
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.put_nowait(mail)
        return "250 OK"

    async def read(self) -> EmailMessage:
        """The next mail."""
        async with asyncio.timeout(SECONDS):
            return await self.mails.get()

    async def read_token(self, page: str) -> str:
        """What the next mail's link to a page has behind its `#`."""
        found = search(rf"{page}#(\S+)", (await self.read()).get_content())
        assert found is not None
        return found[1]


@asynccontextmanager
async def run_mailbox(**options: Any) -> AsyncIterator[Mailbox]:
    """A server on the loopback interface."""
    loop, mailbox = asyncio.get_running_loop(), Mailbox()
    server = await loop.create_server(
        lambda: SMTP(mailbox, hostname="localhost", loop=loop, **options), HOST, 0
    )
    async with server:
        mailbox.port = server.sockets[0].getsockname()[1]
        yield mailbox
