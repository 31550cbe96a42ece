"""What clients, browsers and providers send about sign-ins by providers, and what they are told."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from attrs import field, frozen
from msgspec import UNSET, Meta, UnsetType

from gateway.web.errors import ApiError, Refusal

REDIRECT_CHARACTERS = 1500  # it has to fit into a cookie

Code = Annotated[
    str, Meta(max_length=8192, description="What stands as `code` behind the page's `#`.")
]
Verifier = Annotated[
    str,
    Meta(
        min_length=43,
        max_length=128,
        pattern=r"^[\w.~-]+$",
        description="Of whose SHA-256 the `code_challenge` was made (RFC 7636).",
    ),
]
RedirectUri = Annotated[
    str,
    Meta(
        max_length=REDIRECT_CHARACTERS,
        description="The page to come back to: one that SIGN_IN_PAGES names, exactly.",
    ),
]


@frozen(slots=False)
class LoginProvider:
    """A provider by which one can sign in."""

    name: str
    title: str
    url: Annotated[str, Meta(description="Where a browser goes to begin.")]


@frozen(slots=False)
class LoginWays:
    """What a page for signing in can offer."""

    password: Annotated[bool, Meta(description="Whether a name and a password are taken.")]
    providers: list[LoginProvider]
    mail: Annotated[
        bool, Meta(description="Whether who has forgotten his password can ask for a mail.")
    ]


@frozen
class LoginBegin:
    """How a page has somebody sign in (RFC 6749, 4.1.1; RFC 7636, 4.3)."""

    provider: Annotated[str, Meta(max_length=64, description="The name of the provider.")]
    redirect_uri: RedirectUri
    code_challenge: Annotated[
        str,
        Meta(
            min_length=43,
            max_length=43,
            pattern=r"^[\w-]+$",
            description="SHA-256 of the `code_verifier`, in base64url without padding.",
        ),
    ]
    code_challenge_method: Annotated[Literal["S256"], Meta(description="No other is taken.")] = (
        "S256"
    )
    response_type: Annotated[Literal["code"], Meta(description="No other is given.")] = "code"
    state: Annotated[
        str, Meta(max_length=512, description="What the page wants to be told again.")
    ] = ""
    scope: Annotated[
        str,
        Meta(max_length=512, description="With `offline_access` a refresh token will come too."),
    ] = ""
    max_age: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=365 * 24 * 3600,
                description="How many seconds ago at most one has signed in at the provider, which"
                " else asks again; 0: it asks.",
            ),
        ]
        | UnsetType
    ) = UNSET


@frozen
class LoginReturn:
    """With what a provider sends a browser back."""

    provider: Annotated[str, Meta(max_length=64, description="The name of the provider.")]
    state: Annotated[str, Meta(max_length=1024, description="What it was begun with.")] = ""
    code: Annotated[str, Meta(max_length=8192, description="What the provider has given.")] = ""
    iss: Annotated[str, Meta(max_length=2048, description="Which it is.")] | UnsetType = UNSET
    error: Annotated[str, Meta(max_length=200, description="Why it gives nothing.")] | UnsetType = (
        UNSET
    )


@frozen
class CodeGrant:
    """A code for tokens (RFC 6749, 4.1.3); other fields are ignored."""

    code: Code
    code_verifier: Verifier
    grant_type: Annotated[
        Literal["authorization_code"], Meta(description="No other is taken here.")
    ] = "authorization_code"
    redirect_uri: Annotated[str, Meta(description="If given, that of the beginning.")] = ""


@frozen
class NewIdentity:
    """The code of a sign-in that is to be the user's own from now on."""

    code: Code
    code_verifier: Verifier
    password: Annotated[
        str, Meta(description="The password as it is now, if the user has one.")
    ] = field(default="", repr=False)


@frozen(slots=False)
class Identity:
    """As whom the user is known to a provider."""

    id: UUID
    provider: str
    name: Annotated[str, Meta(description="What the provider calls the user.")]
    created_at: datetime
    used_at: datetime


@frozen(slots=False)
class Identities:
    """As whom the user can sign in."""

    identities: list[Identity]


@frozen
class IdentityId:
    """One identity."""

    identity_id: Annotated[UUID, Meta(description="The id of the identity.")]


@frozen
class OfProvider:
    """One provider."""

    provider: Annotated[str, Meta(max_length=64, description="The name of the provider.")]


@frozen
class LogoutBegin:
    """How somebody signs out at a provider too."""

    provider: Annotated[str, Meta(max_length=64, description="The name of the provider.")]
    redirect_uri: RedirectUri | UnsetType = UNSET


@frozen
class BackChannelLogout:
    """What a provider tells of somebody who has signed out (Back-Channel Logout 1.0, 2.5)."""

    logout_token: Annotated[str, Meta(max_length=16 * 1024, description="Who that is.")]


@frozen(slots=False)
class LogoutRefusal(Refusal):
    """One sentence, and what providers look for (Back-Channel Logout 1.0, 2.8)."""

    error: str
    error_description: str

    @classmethod
    def of(cls, error: ApiError) -> Self:
        """What a caller is told of an error."""
        return cls(error.detail, "invalid_request", error.detail)
