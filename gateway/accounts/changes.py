"""What clients send to have another password or a mail address, and what they are told."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from attrs import field, frozen
from msgspec import Meta

from gateway.accounts.one_time import CHARACTERS
from gateway.accounts.schemas import EXAMPLE_USER, Password
from gateway.openapi.schemas import Json
from gateway.web.examples import MARK
from shared.codec.hooks import Rule
from shared.settings.smtp import ADDRESS_LIMIT, is_mail_address

GIVEN = f"genaip_{'A' * 43}"


def _objection(text: str) -> str | None:
    return None if is_mail_address(text) else "'email' must be a mail address in ASCII"


OneTime = Annotated[
    str, Meta(max_length=CHARACTERS, description="What stands behind the `#` of a link.")
]
Address = Annotated[
    str,
    Meta(extra_json_schema={"maxLength": ADDRESS_LIMIT, "format": "email"}),
    Rule(_objection),
]
Known = Annotated[str, Meta(description="The password as it is now.")]


@frozen
class PasswordChange:
    """The password as it is, and another one."""

    example: ClassVar[Json] = {
        "old_password": EXAMPLE_USER["password"],
        "new_password": EXAMPLE_USER["password"],
    }

    old_password: Known = field(repr=False)
    new_password: Password = field(repr=False)


@frozen
class ShownPassword:
    """The password as it is."""

    example: ClassVar[Json] = {"password": EXAMPLE_USER["password"]}

    password: Known = field(repr=False)


@frozen
class PasswordReset:
    """A one-time token, and another password."""

    example: ClassVar[Json] = {"token": GIVEN, "new_password": EXAMPLE_USER["password"]}

    token: OneTime = field(repr=False)
    new_password: Password = field(repr=False)


@frozen
class AskedReset:
    """Whose password is to be set anew."""

    example: ClassVar[Json] = {"email": f"ada-{MARK}@example.com"}

    email: Address


@frozen(slots=False)
class ResetLink:
    """What a user sets a new password with, once; it is told nowhere else."""

    token: str = field(repr=False)
    url: Annotated[str, Meta(description="Of a page; null where PUBLIC_URL is not set.")] | None = (
        field(repr=False)
    )
    expires_at: datetime


@frozen
class NewEmail:
    """An address that mail is to go to, or null for none."""

    example: ClassVar[Json] = {
        "email": f"ada-{MARK}@example.com",
        "password": EXAMPLE_USER["password"],
    }

    email: Address | None
    password: Annotated[
        str, Meta(description="The password as it is now, if the user has one.")
    ] = field(default="", repr=False)


@frozen
class EmailProof:
    """A one-time token that came by mail, and the password of whoever asked for it."""

    example: ClassVar[Json] = {"token": GIVEN, "password": EXAMPLE_USER["password"]}

    token: OneTime = field(repr=False)
    password: Known = field(repr=False)


@frozen(slots=False)
class Email:
    """Where mail goes, and where it will go once the user has shown that it reaches him."""

    email: str | None
    verified_at: datetime | None
    unverified: str | None


@frozen
class AnyUser:
    """One user, whoever it is."""

    user_id: Annotated[UUID, Meta(description="The user's id.")]
