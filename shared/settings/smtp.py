"""Where mail is handed in: a URL of a server, and who it is from."""

import re
from urllib.parse import parse_qs, unquote

from attrs import field, frozen

from shared.settings.addresses import split_url

PORTS = {"smtp": 587, "smtps": 465}  # RFC 6409 and RFC 8314
ADDRESS_LIMIT = 254  # characters: RFC 5321, 4.5.3.1.3, without the brackets
_word = r"[!#-'*+/-9=?A-Z^-~-]+"
_address = re.compile(rf"{_word}(?:\.{_word})*@(?:[\w-]+\.)*[\w-]+", re.ASCII)
_sender = re.compile(r"[^<>\"\\\x00-\x1f\x7f]*<([^<>]+)>")


@frozen
class SmtpServer:
    """A mail server, and how to talk to it."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    is_tls: bool = False
    """From the first byte on, in place of STARTTLS."""
    starts_tls: bool = True


def smtp_url(text: str) -> str:
    """One that `read_smtp` takes apart. Raises ValueError."""
    read_smtp(text)
    return text


def read_smtp(text: str) -> SmtpServer:
    """The server that a URL names. Raises ValueError."""
    try:
        parts = split_url(text)
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in PORTS or parts.path not in {"", "/"}:
        raise ValueError(
            "must be a URL like smtp://name:password@host:587 or smtps://…; what a name or"
            " password there has of @ : / ? # % and blanks is written as %40 and so on"
        )
    options = parse_qs(parts.query, keep_blank_values=True)
    if options.keys() - {"starttls"} or options.get("starttls", ["true"]) not in (
        ["true"],
        ["false"],
    ):
        raise ValueError("may have starttls=false in its query, and nothing else")
    is_tls = parts.scheme == "smtps"
    starts_tls = not is_tls and options.get("starttls") != ["false"]
    if parts.password and not is_tls and not starts_tls:
        raise ValueError("must not have a password where nothing is encrypted")
    return SmtpServer(
        parts.hostname or "",
        parts.port or PORTS[parts.scheme],
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
        is_tls,
        starts_tls,
    )


def smtp_passwords(url: str) -> tuple[str, ...]:
    """The password in a URL, if there is one."""
    password = read_smtp(url).password
    return () if password is None else (password,)


def is_mail_address(text: str) -> bool:
    """Whether mail may be sent there: an address as mail servers take them everywhere, in ASCII."""
    return len(text) <= ADDRESS_LIMIT and _address.fullmatch(text) is not None


def mail_sender(text: str) -> str:
    """An address, or `Name <address>`. Raises ValueError."""
    named = _sender.fullmatch(text)
    if not is_mail_address(named[1] if named else text):
        raise ValueError("must be a mail address, or one like Chat <chat@example.com>")
    return text
