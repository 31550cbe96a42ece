"""A provider of OpenID Connect that says what a test wants, good or not."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import httpx2
from attrs import define, field
from authlib.oidc.core.util import create_half_hash
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CLIENT = "genai-of-scripted"
SECRET = "four hundred copper kettles"
AUDIENCE = "https://genai.example.com"
EVENT = "http://schemas.openid.net/event/backchannel-logout"

type Claims = dict[str, Any]
type Change = Callable[[Claims], object]


def make_key(kid: str) -> RSAKey:
    """A key that signs."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}, auto_kid=False)


@define
class Scripted:
    """What it says; each test begins with a good one."""

    url: str
    first_key: RSAKey
    key: RSAKey = field(init=False)
    person: Claims = field(factory=dict)
    """What it says of who signs in."""
    told: list[Any] = field(factory=list)
    """Texts that were sent as secrets, codes or tokens."""
    nonce: str = ""
    asked_at: Any = None
    """When it says that it has asked who it is."""
    change: Change = lambda _claims: None
    """What it does to the claims of an ID token."""
    sign: Callable[[Claims], str] | None = None
    """How it signs an ID token, if not well."""
    metadata: Claims = field(factory=dict)
    userinfo: Claims | None = None
    refusal: Claims | None = None
    """What it answers to a code, if no tokens."""
    hangs: bool = False
    asked: list[str] = field(factory=list)
    keys: list[Any] | None = None

    def reset(self, person: Claims) -> None:
        """Be a good one."""
        self.person, self.key = person, self.first_key
        self.nonce, self.metadata, self.asked, self.told = "", {}, [], []
        self.change, self.sign = (lambda _claims: None), None
        self.asked_at = None
        self.userinfo = self.refusal = self.keys = None
        self.hangs = False

    def make_id_token(self, access_token: str, alg: str = "RS256") -> str:
        """One for the sign-in whose nonce it was told."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "exp": now + 60,
            "iat": now,
            "nonce": self.nonce,
            **({} if self.asked_at is None else {"auth_time": self.asked_at}),
            "at_hash": create_half_hash(access_token, alg).decode(),
            **self.person,
        }
        self.change(claims)
        return self.sign(claims) if self.sign else self.encode(claims)

    def make_access_token(self, typ: str = "at+jwt", **others: Any) -> str:
        """One for us, as RFC 9068 has it."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "exp": now + 300,
            "iat": now,
            "jti": uuid4().hex,
            "client_id": "a-program",
            "sub": self.person["sub"],
            **others,
        }
        return self.encode({k: v for k, v in claims.items() if v is not None}, typ=typ)

    def make_logout_token(self, typ: str = "logout+jwt", **others: Any) -> str:
        """One that says that who signed in has signed out."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 120,
            "jti": uuid4().hex,
            "events": {EVENT: {}},
            "sub": self.person["sub"],
            **others,
        }
        return self.encode({k: v for k, v in claims.items() if v is not None}, typ=typ)

    def encode(self, claims: Claims, **header: str) -> str:
        """A signed token."""
        named = {"alg": "RS256", "kid": str(self.key.kid), **header}
        return jwt.encode(named, claims, self.key, algorithms=[named["alg"]])

    @property
    def app(self) -> Starlette:
        """Its pages."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._describe),
                Route("/jwks", self._show_keys),
                Route("/token", self._give, methods=["POST"]),
                Route("/me", self._tell),
            ]
        )

    async def _describe(self, _request: Request) -> Response:
        self.asked.append("metadata")
        places = {
            "authorization_endpoint": f"{self.url}/auth",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "userinfo_endpoint": f"{self.url}/me",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }
        return JSONResponse({"issuer": self.url, **places, **self.metadata})

    async def _show_keys(self, _request: Request) -> Response:
        self.asked.append("keys")
        own = KeySet([self.key]).as_dict()["keys"]
        return JSONResponse({"keys": own if self.keys is None else self.keys})

    async def _give(self, request: Request) -> Response:
        self.asked.append("token")
        form = await request.form()
        if self.hangs:
            await request.receive()  # until nobody waits any more
        assert form["code_verifier"]
        if request.headers.get("authorization") is None:
            assert (form["client_id"], form["client_secret"]) == (CLIENT, SECRET)
        if self.refusal is not None:
            return JSONResponse(self.refusal, 400)
        access_token = f"access-{uuid4().hex}"
        id_token = self.make_id_token(access_token)
        self.told += [access_token, id_token, form["code"], form["code_verifier"], SECRET]
        given = {"access_token": access_token, "token_type": "Bearer", "expires_in": 30}
        return JSONResponse({**given, "id_token": id_token})

    async def _tell(self, request: Request) -> Response:
        assert request.headers["authorization"].removeprefix("Bearer ") in self.told
        return JSONResponse(self.person if self.userinfo is None else self.userinfo)


def unsigned(claims: Claims, alg: str = "none") -> str:
    """A token of nobody."""
    parts = ({"alg": alg, "typ": "JWT"}, claims)
    return ".".join([*(in_base64(json.dumps(part).encode()) for part in parts), ""])


def in_base64(data: bytes) -> str:
    """As it stands in tokens."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def told_behind(answer: httpx2.Response) -> dict[str, str]:
    """What stands behind the `#` of where a browser is sent."""
    assert answer.status_code == 303, answer.text
    fragment = httpx2.URL(answer.headers["location"]).fragment
    pairs = (each.split("=", 1) for each in fragment.split("&"))
    return {name: unquote(value) for name, value in pairs}
