"""What clients and browsers send about log-ins at authorization servers, and what they are told."""

from datetime import datetime
from typing import Annotated, ClassVar

from attrs import frozen
from msgspec import UNSET, Meta, UnsetType

from gateway.openapi.schemas import Json

ClientId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2048,
        description="Of a client that you have had registered there, for authorization servers "
        "that register none by themselves.",
    ),
]
ClientSecret = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=4096,
        description="Its secret, if it has one. It is stored encrypted and never shown.",
        extra_json_schema={"writeOnly": True},
    ),
]
State = Annotated[str, Meta(max_length=1024, description="What the log-in was begun with.")]
Code = Annotated[str, Meta(max_length=8192, description="What the authorization server has given.")]
Issuer = Annotated[str, Meta(max_length=2048, description="Which one that is (RFC 9207).")]


@frozen
class OwnClient:
    """As whom to come to the authorization server; left out, as whom it registers."""

    example: ClassVar[Json] = {"client_id": "genai-of-example"}

    client_id: ClientId | UnsetType = UNSET
    client_secret: ClientSecret | UnsetType = UNSET


@frozen(slots=False)
class Authorization:
    """Where to log in, and until when."""

    authorization_url: Annotated[
        str, Meta(description="To be opened in a browser. It is good for one log-in.")
    ]
    expires_at: datetime


@frozen
class Return:
    """With what an authorization server sends a browser back."""

    state: State
    code: Code = ""
    iss: Issuer | UnsetType = UNSET
    error: Annotated[str, Meta(max_length=200, description="Why it gives nothing.")] | UnsetType = (
        UNSET
    )


@frozen
class Confirmation:
    """The same, by who has said which user began it."""

    state: State
    code: Code
    username: Annotated[str, Meta(max_length=1024)]
    iss: Issuer = ""
