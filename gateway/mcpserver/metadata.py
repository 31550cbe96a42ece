"""What clients look for who have no token, or a dead one: RFC 9728, RFC 6750."""

from collections.abc import Mapping, Sequence
from typing import Annotated, cast

from attrs import frozen
from msgspec import Meta
from starlette.types import Scope

from gateway.state import State
from gateway.web.call import Call
from gateway.web.errors import ApiError
from gateway.web.inputs import Nothing
from shared.settings.gateway import GatewaySettings

PATH = "/mcp"
WELL_KNOWN = "/.well-known/oauth-protected-resource"


class NoMetadataError(ApiError):
    """Nobody has said by which address clients find this server."""

    status = 404


@frozen(slots=False)
class ResourceMetadata:
    """What is protected, and how a token is shown.

    No authorization server is named: tokens are got by a login here, or are an agent's.
    """

    resource: Annotated[str, Meta(description="The address of the MCP server.")]
    resource_name: str
    bearer_methods_supported: tuple[str]


async def read_metadata(call: Call[Nothing, Nothing]) -> ResourceMetadata:
    """Read what is protected, where PUBLIC_URL says by which address."""
    base = call.state["settings"].public_url
    if base is None:
        raise NoMetadataError("PUBLIC_URL is not set: this server does not know its own address")
    return ResourceMetadata(f"{base}{PATH}", "GenAI back-end", ("header",))


def challenge(scope: Scope, wrong: Sequence[str]) -> Mapping[str, str]:
    """The header of a 401 or 403: what is wrong, and where the metadata are."""
    settings: GatewaySettings = cast("State", scope["state"])["settings"]
    parts = [*wrong]
    if settings.public_url is not None:
        parts.append(f'resource_metadata="{settings.public_url}{WELL_KNOWN}{PATH}"')
    return {"WWW-Authenticate": " ".join(["Bearer", ", ".join(parts)]).strip()}
