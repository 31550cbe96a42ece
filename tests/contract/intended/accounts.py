"""Users, tokens and profiles."""

from tests.contract.binding import ANY_ID, ANY_TIME, ANY_TOKEN, NOBODY
from tests.contract.cases import Answer
from tests.contract.differences import (
    differ,
    edits,
    refuses,
    says,
    wherever,
    with_headers,
    without,
)
from tests.contract.intended.everywhere import DEAD_TOKEN, SLASHES

OF_B = "7606d265-979d-4b22-b28c-a7e30f273085"
TOKENS = {"access_token": ANY_TOKEN, "refresh_token": None, "token_type": "Bearer"}

OWN_PROFILE = "Section 2, profiles: that user only; section 1: a foreign object is a 400"
OAUTH = "RFC 6749, 5.2: a token is refused with `error` and `error_description`"
WRONG_LOGIN = {
    "detail": "Incorrect username or password",
    "error": "invalid_grant",
    "error_description": "Incorrect username or password",
}
SAME_NAME = "Common sense: names that look the same are one name"
OF_OPENAI = (
    *("arch", "helper-method", "lang", "os", "package-version"),
    *("retry-count", "runtime", "runtime-version", "timeout"),
)
ALLOWED = ", ".join(
    [
        *("Accept", "Accept-Language", "Content-Language", "Content-Type"),
        *("a2a-extensions", "a2a-version", "authorization", "content-type", "last-event-id"),
        *("mcp-method", "mcp-name", "mcp-protocol-version", "mcp-session-id", "x-session-id"),
        *(f"x-stainless-{name}" for name in OF_OPENAI),
    ]
)
CORS = "Section 1: preflights for GET, POST, PATCH, DELETE; relied_on: no credentials mode"


def registered(name: str) -> dict[str, str]:
    """What a new user is told."""
    return {"id": ANY_ID, "username": name, "created_at": ANY_TIME, "updated_at": ANY_TIME}


USERS = [
    wherever(
        "Section 5: registration answers with the password hash",
        lambda case: case.name.startswith("register") and case.answer.status == 200,
        without("password"),
    ),
    differ(
        "Section 2: a special character is any ASCII punctuation",
        says(200, registered("x1")),
        "register: special character outside the list (?)",
    ),
    differ(
        "Section 5, 500 where it should be 4xx: NUL characters anywhere",
        refuses("'username' must have no NUL character"),
        "register: NUL character in the user name",
    ),
    differ(
        SAME_NAME,
        refuses("User 'REC_USER_A' already exists"),
        "register: same name in other case",
    ),
    differ(SAME_NAME, says(200, TOKENS), "login: user name is case sensitive"),
    differ(
        "Common sense: a user has a name of 1 to 255 characters",
        refuses("'username' must not be empty"),
        "register: empty user name is accepted",
    ),
    differ(SLASHES, says(200, registered("rec_slash")), "register: trailing slash"),
    differ(SLASHES, says(200, TOKENS), "login: trailing slash"),
    differ(
        "Section 2: `grant_type`, `scope`, `client_id`, `client_secret` are ignored",
        says(200, TOKENS),
        "login: other grant_type",
        "login: empty grant_type",
    ),
    differ(
        "Section 5: bcrypt looks at 72 bytes of a password",
        says(400, WRONG_LOGIN),
        "login: long password, only first 72 bytes count (bcrypt)",
    ),
    differ(
        OAUTH,
        says(400, WRONG_LOGIN),
        "login: wrong password",
        "login: unknown user",
        "login: empty password",
    ),
    differ(
        "Section 2: `POST /api/validate-token` → 200 `Token is valid`",
        says(200, {"detail": "Token is valid"}),
        "validate-token: valid token",
    ),
    differ(
        "Section 2: `POST /api/validate-token`, else 400",
        refuses("Token is not valid or expired"),
        "validate-token: garbage",
    ),
    differ(
        "Section 2: else 400; section 1: CORS headers on errors too",
        lambda _: Answer(
            400,
            {"content-type": "application/json", "access-control-allow-origin": "*"},
            {"detail": "Token is not valid or expired"},
        ),
        "CORS: Origin on a 500",
    ),
    differ(
        "Section 1: a user token has the claims `sub` and `exp`",
        DEAD_TOKEN,
        "auth: token without exp is accepted",
    ),
    differ(
        "Section 5: `GET /user/files/metadata` answers 500 always",
        says(200, []),
        "auth: user token on an endpoint for either",
    ),
    differ(
        "Section 1: `/docs` is Swagger UI; what the page holds is ours",
        edits(lambda _: "<html page>"),
        "docs",
    ),
    differ(
        "Section 1: Swagger UI, served without any CDN, is the one page",
        says(404, {"detail": "Not Found"}),
        "redoc",
    ),
    differ(
        CORS,
        with_headers(
            {
                "access-control-allow-methods": "GET, POST, PATCH, DELETE",
                "access-control-allow-credentials": None,
                "access-control-allow-origin": "*",
            }
        ),
        "CORS: preflight",
        "CORS: preflight for an unknown path",
    ),
    differ(
        "Section 1: preflights allow `authorization` and `content-type`; event streams and session "
        "ids have a header each, and the packages of OpenAI many",
        with_headers({"access-control-allow-headers": ALLOWED}),
        "CORS: preflight",
    ),
    differ(
        CORS,
        with_headers({"access-control-allow-credentials": None}),
        "CORS: simple request with Origin",
        "CORS: Origin on an error answer",
    ),
    differ(
        CORS,
        with_headers(
            {"access-control-allow-credentials": None, "access-control-allow-origin": "*"}
        ),
        "CORS: Origin and Cookie",
    ),
    differ(
        "Silent; RFC 9110: whatever answers GET answers HEAD, as files must by section 2",
        says(200, None, content_type="application/json"),
        "HEAD",
    ),
]

PROFILES = [
    differ(
        OWN_PROFILE,
        refuses(f"Profile with of user with id '{OF_B}' was not found"),
        "get profile of another user is allowed (defect)",
        "patch another user's profile is allowed (defect)",
    ),
    differ(
        OWN_PROFILE,
        edits(lambda body: {**body, "first_name": None}),
        "... and the owner sees it",
    ),
    differ(
        "Section 5, 500 where it should be 4xx: unknown profiles",
        refuses(f"Profile with of user with id '{NOBODY}' was not found"),
        "get unknown user",
    ),
]
