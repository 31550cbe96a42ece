"""Everybody who may call, and how each kind of operation receives them."""

import time
from enum import Enum
from uuid import UUID, uuid4

from attrs import field, frozen
from joserfc import jwt
from joserfc.jwk import OctKey

from gateway.web.auth import Access
from shared.tokens import issue_agent_token, issue_user_token
from tests.gateway.belongings import Belongings, user_token
from tests.system import SERVICE_KEY, System

NOT_AUTHENTICATED = "Not authenticated"
DEAD = "Token is not valid or expired. Please log in again"
NO_CALLER = "You must provide either 'user_id' or your jwt token to continue."
NO_LOOKUP = "Lookup by user_id is not allowed for plain authenticated users."
TWO_CALLERS = "You must provide either 'user_id' or your jwt token, but not both at the same time."


@frozen
class Caller:
    """What somebody sends with each call."""

    token: str | None = None
    key: str | None = None
    query: dict[str, str] = field(factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        """Token and key as they are sent."""
        bearer = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        return {**bearer, **({} if self.key is None else {"x-api-key": self.key})}


class Reception(Enum):
    """How a caller is received: let in, or refused with this status and sentence."""

    OWN = "for the owner"
    FOREIGN = "for somebody else"
    MISSING = (401, NOT_AUTHENTICATED)
    DEAD = (401, DEAD)
    NO_CALLER = (400, NO_CALLER)
    NO_LOOKUP = (400, NO_LOOKUP)
    TWO_CALLERS = (400, TWO_CALLERS)


def make_callers(
    system: System, owner: Belongings, other: Belongings, deleted: Belongings
) -> dict[str, Caller]:
    """Everybody by name; `deleted` is the owner's too, but its agent is deleted."""
    mine, secret_key = user_token(system.settings, owner), system.settings.secret_key
    theirs = issue_user_token(secret_key, UUID(other.user_id), uuid4())  # who signs out stays
    expired = jwt.encode(
        {"alg": "HS256"},
        {"sub": owner.user_id, "exp": int(time.time()) - 1},
        OctKey.import_key(system.settings.secret_key),
    )
    in_the_owners_name = {"user_id": owner.user_id}
    former = issue_agent_token(
        system.settings.secret_key, UUID(owner.agent_id), UUID(owner.user_id)
    )
    callers = {
        "the owner": Caller(mine),
        "an agent of the owner": Caller(owner.agent_token),
        "another user": Caller(theirs),
        "an agent of another user": Caller(other.agent_token),
        "nobody": Caller(),
        "a bad token": Caller(f"{mine[:-4]}AAAA"),
        "an expired token": Caller(expired),
        "a deleted agent of the owner": Caller(deleted.agent_token),
        "a former token of an agent of the owner": Caller(former),
        "the service for the owner": Caller(None, SERVICE_KEY, in_the_owners_name),
        "the service for another user": Caller(None, SERVICE_KEY, {"user_id": other.user_id}),
        "the service for nobody": Caller(None, SERVICE_KEY),
        "a wrong key for the owner": Caller(None, f"{SERVICE_KEY}x", in_the_owners_name),
        "no key for the owner": Caller(None, None, in_the_owners_name),
        "another user for the owner": Caller(theirs, None, in_the_owners_name),
        "another user with the key": Caller(theirs, SERVICE_KEY, in_the_owners_name),
    }
    assert callers.keys() == RECEPTIONS.keys()
    return callers


_ = Reception
_TABLE = {
    #                                USER       or agent   or service   either
    "the owner":                    (_.OWN,     _.OWN,     _.OWN,       _.OWN),
    "an agent of the owner":        (_.DEAD,    _.OWN,     _.DEAD,      _.OWN),
    "another user":                 (_.FOREIGN, _.FOREIGN, _.FOREIGN,   _.FOREIGN),
    "an agent of another user":     (_.DEAD,    _.FOREIGN, _.DEAD,      _.FOREIGN),
    "nobody":                       (_.MISSING, _.MISSING, _.NO_CALLER, _.NO_CALLER),
    "a bad token":                  (_.DEAD,    _.DEAD,    _.DEAD,      _.DEAD),
    "an expired token":             (_.DEAD,    _.DEAD,    _.DEAD,      _.DEAD),
    "a deleted agent of the owner": (_.DEAD,    _.DEAD,    _.DEAD,      _.DEAD),
    "a former token of an agent of the owner": (_.DEAD, _.DEAD, _.DEAD, _.DEAD),
    "the service for the owner":    (_.MISSING, _.MISSING, _.OWN,       _.OWN),
    "the service for another user": (_.MISSING, _.MISSING, _.FOREIGN,   _.FOREIGN),
    "the service for nobody":       (_.MISSING, _.MISSING, _.NO_CALLER, _.NO_CALLER),
    "a wrong key for the owner":    (_.MISSING, _.MISSING, _.MISSING,   _.MISSING),
    "no key for the owner":         (_.MISSING, _.MISSING, _.MISSING,   _.MISSING),
    "another user for the owner":   (_.FOREIGN, _.FOREIGN, _.NO_LOOKUP, _.NO_LOOKUP),
    "another user with the key":    (_.FOREIGN, _.FOREIGN, _.TWO_CALLERS, _.TWO_CALLERS),
}  # fmt: skip
_COLUMNS = (
    Access.USER,
    Access.USER_OR_AGENT,
    Access.USER_OR_SERVICE,
    Access.USER_AGENT_OR_SERVICE,
)
RECEPTIONS = {caller: dict(zip(_COLUMNS, row, strict=True)) for caller, row in _TABLE.items()}


def reception(caller: str, access: Access) -> Reception:
    """How somebody is received; where anyone may call, everybody is somebody else."""
    return RECEPTIONS[caller].get(access, Reception.FOREIGN)
