"""What clients send about users, and what they are told."""

import string
from datetime import datetime
from typing import Annotated, ClassVar, Self
from uuid import UUID

from attrs import frozen
from msgspec import UNSET, Meta, UnsetType

from gateway.accounts.names import NAME_LIMIT, objection_to
from gateway.accounts.passwords import NORMALISED_LIMIT
from gateway.openapi.schemas import Json
from gateway.signins.beginning import OFFLINE_ACCESS, RefusedGrantError
from gateway.web.errors import (
    ApiError,
    BadRequestError,
    Refusal,
    TooManyRequestsError,
    UnavailableError,
)
from gateway.web.examples import MARK
from gateway.web.texts import is_blank
from shared.codec.faults import Fault, InvalidInputError
from shared.codec.hooks import Rule

EXAMPLE_USER = {"username": f"ada-{MARK}", "password": "Passw0rd!"}

LEAST_CHARACTERS = 8  # of a password


def find_weakness(password: str) -> str | None:
    """What the contract's rule finds missing in a password, in the original's words."""
    if len(password) < LEAST_CHARACTERS:
        return f"Password must be longer than {LEAST_CHARACTERS} symbols"
    wanted = {
        "an uppercase character": any(map(str.isupper, password)),
        "an lowercase character": any(map(str.islower, password)),
        "an numeric character": any(map(str.isdecimal, password)),
        "a special character": not set(password).isdisjoint(string.punctuation),
    }
    missing = [name for name, found in wanted.items() if not found]
    return f"Password must contain {missing[0]}" if missing else None


def _form_objection(password: str) -> str | None:
    """What is wrong with a password that the front-end's form lets through.

    It counts as UTF-16 does, in which an emoji is two characters.
    """
    if is_blank(password):
        return "'password' must not be empty"
    if len(password) < LEAST_CHARACTERS <= len(password.encode("utf-16-le")) // 2:
        return f"'password' must have at least {LEAST_CHARACTERS} characters"
    return None


Password = Annotated[
    str,
    Meta(
        max_length=NORMALISED_LIMIT,
        description="Upper case, lower case, a digit and a special character.",
        extra_json_schema={"minLength": LEAST_CHARACTERS},  # `find_weakness` tells it
    ),
    Rule(_form_objection),
]
PersonName = Annotated[str, Meta(max_length=255)]
Username = Annotated[
    str,
    Meta(
        description="Blanks around it are left out; no invisible characters.",
        extra_json_schema={"minLength": 1, "maxLength": NAME_LIMIT, "pattern": r"\S"},
    ),
    Rule(objection_to),
]


@frozen
class NewUser:
    """Somebody who registers."""

    example: ClassVar[Json] = EXAMPLE_USER

    password: Password  # first, as its faults are
    username: Username


@frozen(slots=False)
class User:
    """A registered user."""

    id: UUID
    username: str
    created_at: datetime
    updated_at: datetime


REFRESH = "refresh_token"  # the grant type; any other means a password (RFC 6749, 6)


@frozen
class Login:
    """The OAuth 2 form: name and password, or a refresh token; its other fields are ignored."""

    example: ClassVar[Json] = EXAMPLE_USER

    username: Annotated[str, Meta(description="Needed but for a refresh token.")] | UnsetType = (
        UNSET
    )
    password: Annotated[str, Meta(description="Needed but for a refresh token.")] | UnsetType = (
        UNSET
    )
    grant_type: Annotated[str, Meta(description="`refresh_token`, or anything else.")] = "password"
    refresh_token: Annotated[str, Meta(description="The newest one of its sign-in.")] = ""
    scope: Annotated[
        str,
        Meta(description="With `offline_access` a refresh token comes, and tokens live short."),
    ] = ""

    @property
    def wants_refresh_token(self) -> bool:
        """Whether it asks for a refresh token."""
        return OFFLINE_ACCESS in self.scope.split()

    def named(self) -> tuple[str, str]:
        """Name and password. Raises InvalidInputError."""
        username, password = self.username, self.password
        if isinstance(username, UnsetType) or isinstance(password, UnsetType):
            given = {"username": username, "password": password}
            missing = [name for name, value in given.items() if value is UNSET]
            raise InvalidInputError(
                [Fault("missing", ("body", name), "Field required", None) for name in missing]
            )
        return username, password


class WrongCredentialsError(RefusedGrantError):
    """Nobody has this name and this password."""


class NoPasswordsError(BadRequestError):
    """Nobody signs in by password here: `unauthorized_client` (RFC 6749, 5.2)."""


@frozen(slots=False)
class TokenRefusal(Refusal):
    """One sentence, and what clients of OAuth 2 look for (RFC 6749, 5.2)."""

    error: str
    error_description: str

    @classmethod
    def of(cls, error: ApiError) -> Self:
        """What a caller is told of an error."""
        is_wrong = isinstance(error, RefusedGrantError)
        is_ours = error.status in {TooManyRequestsError.status, UnavailableError.status}
        other = "temporarily_unavailable" if is_ours else "invalid_request"
        if isinstance(error, NoPasswordsError):
            other = "unauthorized_client"
        return cls(error.detail, "invalid_grant" if is_wrong else other, error.detail)


@frozen
class Token:
    """A token to check."""

    token: str


@frozen(slots=False)
class Detail:
    """One sentence."""

    detail: str


@frozen
class UserId:
    """One user."""

    user_id: Annotated[UUID, Meta(description="The user's own id.")]


@frozen(slots=False)
class Profile:
    """What a user says about himself."""

    id: UUID
    user_id: UUID
    first_name: str | None
    last_name: str | None


@frozen
class ProfileChanges:
    """What to change of a profile; what is left out stays, null removes."""

    example: ClassVar[Json] = {"first_name": "Ada", "last_name": "Lovelace"}

    first_name: PersonName | UnsetType | None = UNSET
    last_name: PersonName | UnsetType | None = UNSET
