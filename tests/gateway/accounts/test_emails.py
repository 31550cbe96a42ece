"""Mail: an address that is shown to be one's own, and a new password by it."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx2
import pytest

from gateway.accounts.admission import MAILS_PER_DAY
from gateway.accounts.changing import OVER
from gateway.accounts.choosing import WRONG
from gateway.accounts.emails import TAKEN
from gateway.accounts.page import EMAIL_PATH, RESET_PATH
from tests.gateway.shapes import good, refused
from tests.mailbox import Mailbox, run_mailbox
from tests.sql import Sql
from tests.system import System
from tests.users import PASSWORD, User, connect_to, register_user

EMAIL, PROOF, RESET = "/api/me/email", "/api/email-verification", "/api/password-reset"
PUBLIC, SENDER = "https://chat.example.com/genai", "Chat <chat@example.com>"
NEW = "An0ther-one!"


@pytest.fixture(scope="module")
async def mailbox(anyio_backend: str) -> AsyncIterator[Mailbox]:
    async with run_mailbox() as mailbox:
        yield mailbox


@pytest.fixture(scope="module")
def gateway(system: System, mailbox: Mailbox) -> str:
    """A gateway of the shared system's database that sends mail."""
    system.start_gateway(
        SMTP_URL=mailbox.url, SMTP_FROM=SENDER, PUBLIC_URL=PUBLIC, MAILS_PER_ADDRESS="0"
    )
    return system.gateways.pop()


@pytest.fixture
async def person(gateway: str) -> AsyncIterator[User]:
    async with register_user(gateway) as user:
        yield user


@pytest.fixture
async def stranger(gateway: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with connect_to(gateway) as http:
        yield http


def new_address() -> str:
    return f"Ada.{uuid4().hex}@example.com"


async def set_email(user: User, email: str | None, password: str = PASSWORD) -> httpx2.Response:
    return await user.http.post(EMAIL, json={"email": email, "password": password})


async def prove(http: httpx2.AsyncClient, token: str, password: str = PASSWORD) -> httpx2.Response:
    return await http.post(PROOF, json={"token": token, "password": password})


async def ask(http: httpx2.AsyncClient, email: str) -> httpx2.Response:
    return await http.post(f"{RESET}/mail", json={"email": email})


async def verify(user: User, mailbox: Mailbox, email: str) -> None:
    """Have the user show that the address is his."""
    good(await set_email(user, email))
    token = await mailbox.read_token(PUBLIC + EMAIL_PATH)
    assert (await prove(user.http, token)).status_code == 204


async def test_an_address_counts_when_its_owner_has_shown_it(
    person: User, mailbox: Mailbox, stranger: httpx2.AsyncClient
) -> None:
    email = new_address()
    assert good(await set_email(person, email)) == {
        "email": None,
        "verified_at": None,
        "unverified": email,
    }
    token = await mailbox.read_token(PUBLIC + EMAIL_PATH)
    assert refused(await prove(stranger, token, "another's")) == WRONG
    assert (await prove(stranger, token)).status_code == 204
    told = good(await person.http.get(EMAIL))
    assert (told["email"], told["unverified"]) == (email, None)
    assert told["verified_at"]
    assert refused(await prove(stranger, token)) == OVER


async def test_the_mail_to_an_address_that_is_not_verified_says_nothing_of_its_sender(
    person: User, mailbox: Mailbox
) -> None:
    good(await set_email(person, new_address()))
    mail = await mailbox.read()
    assert mail["From"] == SENDER
    assert mail["Auto-Submitted"] == "auto-generated"
    assert person.name not in str(mail)


async def test_an_address_wants_the_password(person: User) -> None:
    assert refused(await set_email(person, new_address(), "wrong")) == WRONG
    assert refused(await set_email(person, None, "wrong")) == WRONG


@pytest.mark.parametrize("email", ["ada", "a@b\r\nBcc: c@d", "é@example.com", f"{'a' * 251}@b.c"])
async def test_what_is_no_address_is_refused(person: User, email: str) -> None:
    assert "'email'" in refused(await set_email(person, email))


async def test_an_address_is_one_accounts(
    person: User, gateway: str, mailbox: Mailbox, stranger: httpx2.AsyncClient
) -> None:
    email = new_address()
    await verify(person, mailbox, email)
    async with register_user(gateway) as other:
        good(await set_email(other, email.upper()))
        token = await mailbox.read_token(PUBLIC + EMAIL_PATH)
        assert refused(await prove(stranger, token)) == TAKEN


async def test_a_verified_address_gets_a_link_that_sets_a_password(
    person: User, mailbox: Mailbox, stranger: httpx2.AsyncClient, sql: Sql
) -> None:
    email = new_address()
    await verify(person, mailbox, email)
    answer = await ask(stranger, email.lower())
    assert (answer.status_code, answer.content) == (202, b"")
    token = await mailbox.read_token(PUBLIC + RESET_PATH)
    assert token not in str(sql("SELECT * FROM one_time_tokens WHERE user_id = %s", person.id))
    changed = await stranger.post(RESET, json={"token": token, "new_password": NEW})
    assert changed.status_code == 204
    assert (await person.http.get("/api/chats")).status_code == 401
    told = await mailbox.read()
    assert (told["To"], told["Subject"]) == (email, "Your password was changed")


async def test_nobody_can_void_an_administrators_link_by_asking_for_mail(
    person: User, user: User, mailbox: Mailbox, stranger: httpx2.AsyncClient, sql: Sql
) -> None:
    email = new_address()
    await verify(person, mailbox, email)
    sql("UPDATE users SET role = 'admin' WHERE id = %s", user.id)
    given = good(await user.http.post(f"/api/users/{person.id}/password-reset"))["token"]
    await ask(stranger, email)
    by_mail = await mailbox.read_token(PUBLIC + RESET_PATH)
    answer = await stranger.post(RESET, json={"token": given, "new_password": NEW})
    assert answer.status_code == 204
    await mailbox.read()
    answer = await stranger.post(RESET, json={"token": by_mail, "new_password": NEW})
    assert refused(answer) == OVER, "whoever has a new password needs no other"


async def test_an_address_that_nobody_has_verified_is_answered_alike_and_gets_nothing(
    person: User, mailbox: Mailbox, stranger: httpx2.AsyncClient
) -> None:
    email, unknown = new_address(), new_address()
    await set_email(person, email)
    await mailbox.read()
    answers = [await ask(stranger, each) for each in (email, unknown)]
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, b"")}
    await verify(person, mailbox, email)  # letters are written in their order: none came between


async def test_an_address_that_is_taken_back_gets_no_mail(
    person: User, mailbox: Mailbox, stranger: httpx2.AsyncClient
) -> None:
    email = new_address()
    await verify(person, mailbox, email)
    nothing = {"email": None, "verified_at": None, "unverified": None}
    assert good(await set_email(person, None)) == nothing
    await ask(stranger, email)
    await verify(person, mailbox, new_address())


async def test_an_address_gets_so_many_mails_a_day_whether_or_not_it_is_known(
    stranger: httpx2.AsyncClient,
) -> None:
    email = new_address()
    answers = [await ask(stranger, email) for _ in range(MAILS_PER_DAY + 1)]
    assert [answer.status_code for answer in answers] == [202] * MAILS_PER_DAY + [429]
    assert int(answers[-1].headers["retry-after"]) > 3600


async def test_the_secrets_stand_in_no_log(
    person: User, mailbox: Mailbox, stranger: httpx2.AsyncClient, system: System
) -> None:
    email = new_address()
    await verify(person, mailbox, email)
    await ask(stranger, email)
    token = await mailbox.read_token(PUBLIC + RESET_PATH)
    await stranger.post(RESET, json={"token": f"{token}x", "new_password": NEW})
    await stranger.post(RESET, json={"token": token, "new_password": NEW})
    await mailbox.read()
    logged = "".join(path.read_text() for path in system.folder.glob("*.log"))
    assert not [each for each in (token, NEW, email) if each in logged]
