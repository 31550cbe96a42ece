"""Where mail goes, as settings say it."""

import pytest

from shared.settings.gateway import GatewaySettings
from shared.settings.reading import SettingsError, read_settings
from shared.settings.smtp import SmtpServer, is_mail_address, read_smtp
from tests.system import make_secrets

WITH = {"SMTP_FROM": "Chat <chat@example.com>", "PUBLIC_URL": "https://chat.example.com"}
PASSWORD = "4 green umbrellas @ noon"
URL = "smtp://chat%40example.com:4%20green%20umbrellas%20%40%20noon@mail.example.com"


def read(**variables: str) -> GatewaySettings:
    return read_settings({**make_secrets(), **variables}, GatewaySettings)


def refusal(**variables: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(**variables)
    return str(caught.value)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        (URL, SmtpServer("mail.example.com", 587, "chat@example.com", PASSWORD)),
        ("smtp://mail:2525", SmtpServer("mail", 2525)),
        ("smtps://mail", SmtpServer("mail", 465, is_tls=True, starts_tls=False)),
        ("smtp://[::1]:25?starttls=false", SmtpServer("::1", 25, starts_tls=False)),
        ("smtp://mail?starttls=true", SmtpServer("mail", 587)),
    ],
)
def test_a_url_names_a_server(url: str, server: SmtpServer) -> None:
    assert read_smtp(url) == server
    assert PASSWORD not in repr(server)


@pytest.mark.parametrize(
    "url",
    [
        *("mail.example.com", "http://mail", "smtp://", "smtp://mail/path", "smtp://mail:0"),
        *("smtp://mail?tls=no", "smtp://mail?starttls=maybe"),
        "smtp://chat:password@mail?starttls=false",
    ],
)
def test_what_is_no_url_of_a_mail_server_is_a_fault_that_repeats_no_password(url: str) -> None:
    said = refusal(SMTP_URL=url, **WITH)
    assert said.startswith("SMTP_URL m")
    assert "password@" not in said.replace("name:password@host", "")


@pytest.mark.parametrize("missing", WITH)
def test_mail_wants_a_sender_and_where_links_lead(missing: str) -> None:
    others = {name: value for name, value in WITH.items() if name != missing}
    assert refusal(SMTP_URL=URL, **others) == f"SMTP_URL needs {missing} too"


def test_a_password_that_can_be_guessed_is_a_fault() -> None:
    assert refusal(SMTP_URL="smtp://chat:changeme@mail", **WITH) == "SMTP_URL can be guessed"


def test_the_password_is_known_as_a_secret_and_shown_nowhere() -> None:
    settings = read(SMTP_URL=URL, **WITH)
    assert {PASSWORD, URL} <= set(settings.secret_texts)
    assert "umbrellas" not in repr(settings)


@pytest.mark.parametrize("sender", ["Chat", "<>", "Chat <chat>", "a@b\nBcc: c@d", '"a" <a@b>'])
def test_who_mail_is_from_is_an_address(sender: str) -> None:
    assert "SMTP_FROM must be a mail address" in refusal(SMTP_FROM=sender)


@pytest.mark.parametrize("text", ["a@b", "ada.b+c@mail.example.com", f"{'a' * 250}@b.c"])
def test_what_servers_take_everywhere_is_an_address(text: str) -> None:
    assert is_mail_address(text)


@pytest.mark.parametrize(
    "text", ["a", "a@", "@b", "a@b@c", "a b@c", "a..b@c", "a@b..c", "é@b", f"{'a' * 251}@b.c"]
)
def test_anything_else_is_none(text: str) -> None:
    assert not is_mail_address(text)
