"""How one signs in from the page of the description: by password, or by a provider."""

from collections.abc import Mapping
from typing import Any

from gateway.openapi.schemas import Json
from shared.settings.gateway import GatewaySettings

USER = "user"
BEGIN = "/api/login/oidc"
TOKEN_URL = f"{BEGIN}/token"
ADDRESSES = ("tokenUrl", "authorizationUrl")


def with_ways_in(document: Json, settings: GatewaySettings) -> Json:
    """The document of an installation: wherever a user's token is taken, each way to have one."""
    ways = {f"{USER}_{each.name}": _scheme(each.name, each.title) for each in settings.oidc}
    components = document["components"]
    schemes = {**components["securitySchemes"], **ways}
    if not settings.password_login:
        schemes[USER] = {
            "type": "http",
            "scheme": "bearer",
            "description": "A user's token: sign in by a provider.",
        }
    paths = {
        path: {method: _with(operation, ways) for method, operation in methods.items()}
        for path, methods in document["paths"].items()
    }
    return {
        **document,
        "paths": paths,
        "components": {**components, "securitySchemes": schemes},
    }


def at_base(schemes: Mapping[str, Json], base: str) -> dict[str, Json]:
    """The schemes for clients who find the paths after this base."""
    return {
        name: {**scheme, "flows": _moved(scheme["flows"], base)} if "flows" in scheme else scheme
        for name, scheme in schemes.items()
    }


def _moved(flows: Mapping[str, Mapping[str, Any]], base: str) -> dict[str, Any]:
    return {
        kind: {name: base + told if name in ADDRESSES else told for name, told in flow.items()}
        for kind, flow in flows.items()
    }


def _scheme(name: str, title: str | None) -> Json:
    flow = {"authorizationUrl": f"{BEGIN}/{name}", "tokenUrl": TOKEN_URL, "scopes": {}}
    return {
        "type": "oauth2",
        "description": f"A user's token, by {title or name}; no client_secret is needed.",
        "flows": {"authorizationCode": flow},
    }


def _with(operation: Json, ways: Mapping[str, Json]) -> Json:
    security = operation["security"]
    if {USER: []} not in security:
        return operation
    return {**operation, "security": [*security, *({name: []} for name in ways)]}
