"""An MCP server of the SDK's that protects itself with an authorization server of its own."""

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from attrs import define, field
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    OAuthAuthorizationServerProvider,
    RefreshToken,
    TokenError,
    construct_redirect_uri,
)
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from pydantic import AnyHttpUrl, AnyUrl
from starlette.responses import PlainTextResponse

from tests.gateway.outsiders import Outsider, serving

SCOPE = "tools"


@define(eq=False)
class Authority(OAuthAuthorizationServerProvider[AuthorizationCode, RefreshToken, AccessToken]):
    """Lets in everybody who comes, and rotates its tokens."""

    expires_in: int | None = 3600
    clients: dict[str, OAuthClientInformationFull] = field(factory=dict)
    codes: dict[str, AuthorizationCode] = field(factory=dict)
    access: dict[str, AccessToken] = field(factory=dict)
    refresh: dict[str, RefreshToken] = field(factory=dict)
    renewals: int = 0
    has_refresh: bool = True

    @property
    def secrets(self) -> list[str]:
        """All that it has ever given that nobody else may see."""
        clients = [client.client_secret for client in self.clients.values()]
        return [*self.codes, *self.access, *self.refresh, *filter(None, clients)]

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        return self.clients.get(client_id)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        self.clients[client_info.client_id] = client_info

    async def authorize(
        self, client: OAuthClientInformationFull, params: AuthorizationParams
    ) -> str:
        code = AuthorizationCode(
            code=secrets.token_urlsafe(24),
            scopes=params.scopes or [],
            expires_at=time.time() + 60,
            client_id=client.client_id,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=params.resource,
        )
        self.codes[code.code] = code
        return construct_redirect_uri(str(params.redirect_uri), code=code.code, state=params.state)

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> AuthorizationCode | None:
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        code = authorization_code
        code.expires_at = 0  # for one use
        return self._give(code.client_id, code.scopes, code.resource)

    async def load_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: str
    ) -> RefreshToken | None:
        return self.refresh.get(refresh_token)

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        self.renewals += 1
        if refresh_token.expires_at == 0:
            raise TokenError("invalid_grant", "it was used before")
        refresh_token.expires_at = 0
        return self._give(refresh_token.client_id, refresh_token.scopes, refresh_token.resource)

    async def load_access_token(self, token: str) -> AccessToken | None:
        return self.access.get(token)

    async def revoke_token(self, token: AccessToken | RefreshToken) -> None:
        raise NotImplementedError

    def know(self, client_id: str, secret: str, redirect_uri: str) -> None:
        """A client that somebody had registered."""
        self.clients[client_id] = OAuthClientInformationFull(
            client_id=client_id,
            client_secret=secret,
            token_endpoint_auth_method="client_secret_basic",
            redirect_uris=[AnyUrl(redirect_uri)],
            scope=SCOPE,
        )

    def end_access(self) -> None:
        """Let nobody in by the tokens that there are."""
        for token in self.access.values():
            token.expires_at = 1

    def end_all(self) -> None:
        """Nor renew any."""
        self.end_access()
        self.clients = {}

    def _give(self, client_id: str, scopes: list[str], resource: str | None) -> OAuthToken:
        access, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        ends = None if self.expires_in is None else int(time.time()) + self.expires_in
        self.access[access] = AccessToken(
            token=access, client_id=client_id, scopes=scopes, expires_at=ends, resource=resource
        )
        self.refresh[refresh] = RefreshToken(
            token=refresh, client_id=client_id, scopes=scopes, resource=resource
        )
        return OAuthToken(
            access_token=access,
            expires_in=self.expires_in,
            scope=" ".join(scopes),
            refresh_token=refresh if self.has_refresh else None,
        )


@asynccontextmanager
async def protected(authority: Authority, *, registers: bool = True) -> AsyncIterator[Outsider]:
    """An MCP server that lets in only who has logged in, at `/mcp`; its one tool is `echo`."""
    async with serving(PlainTextResponse("not yet", 503)) as outsider:
        url = outsider.url
        auth = AuthSettings(
            issuer_url=AnyHttpUrl(url),
            resource_server_url=AnyHttpUrl(f"{url}/mcp"),
            client_registration_options=ClientRegistrationOptions(
                enabled=registers, valid_scopes=[SCOPE], default_scopes=[SCOPE]
            ),
            required_scopes=[SCOPE],
            validate_token_resource=True,
        )
        server = MCPServer(
            "protected", auth_server_provider=authority, auth=auth, log_level="CRITICAL"
        )

        async def echo(text: str) -> str:
            return text

        server.add_tool(echo, name="echo", description="Returns text")
        outsider.app = server.streamable_http_app()
        async with server.session_manager.run():
            yield outsider
