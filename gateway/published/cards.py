"""Cards: what a published thing says of itself to everybody, in both generations of A2A."""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from gateway.openapi.schemas import Json
from gateway.published.addresses import url_of
from gateway.published.queries import Published
from gateway.streams.targets import Kind
from shared.domain.agents import described

TEXT, JSON = "text/plain", "application/json"
BINDINGS = "JSONRPC", "HTTP+JSON"  # the first is preferred
VERSIONS = "1.0", "0.3"
SCHEME = {"scheme": "bearer", "bearerFormat": "JWT"}
ASSISTANT = (
    "An assistant that works on a task in words, and has the agents that are connected to it work "
    "on parts of it."
)
TAGS: Mapping[Kind, str] = {"agent": "agent", "flow": "flow", "config": "assistant"}


@frozen
class Card:
    """A card as clients of 1.x read it, and what clients of 0.3 read besides."""

    content: Json
    of_before: Json

    @property
    def whole(self) -> Json:
        """Both as one object: each generation leaves out what it does not know."""
        schemes = {"bearer": {**self.content["securitySchemes"]["bearer"], **self._scheme}}
        return {**self.of_before, **self.content, "securitySchemes": schemes}

    @property
    def _scheme(self) -> Json:
        return {"type": "http", **SCHEME}


def make_card(published: Published, base: str) -> Card:
    """The card of what is published, at this gateway's address for clients."""
    url = url_of(base, published.alias)
    is_assistant = published.what.kind == "config"
    name = published.alias if is_assistant else published.what.name or published.alias
    description = ASSISTANT if is_assistant else described(published.description)
    content: dict[str, Any] = {
        "name": name,
        "description": description,
        "version": f"{published.updated_at:%Y.%m.%d.%H%M%S}",
        "supportedInterfaces": [
            {"url": url, "protocolBinding": binding, "protocolVersion": version}
            for version in VERSIONS
            for binding in BINDINGS
        ],
        "capabilities": {"streaming": True, "pushNotifications": False},
        "securitySchemes": {"bearer": {"httpAuthSecurityScheme": SCHEME}},
        "securityRequirements": [{"schemes": {"bearer": {}}}],
        "defaultInputModes": [TEXT] if is_assistant else [TEXT, JSON],
        "defaultOutputModes": [TEXT],
        "skills": [
            {
                "id": published.alias,
                "name": name,
                "description": description,
                "tags": [TAGS[published.what.kind]],
            }
        ],
    }
    preferred, other = BINDINGS
    of_before = {
        "protocolVersion": VERSIONS[-1],
        "url": url,
        "preferredTransport": preferred,
        "additionalInterfaces": [{"transport": other, "url": url}],
        "security": [{"bearer": []}],
    }
    return Card(content, of_before)
