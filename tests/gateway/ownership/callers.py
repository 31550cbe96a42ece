"""Everybody who may call, and how each kind of operation receives them."""

import time
from collections.abc import Mapping
from enum import Enum
from uuid import UUID, uuid4

from attrs import field, frozen
from joserfc import jwt
from joserfc.jwk import OctKey

from gateway.keys.format import hash_of, make_key
from gateway.web.auth import Access
from gateway.web.operation import Operation
from gateway.web.scopes import Scope
from shared.tokens import issue_agent_token, issue_user_token
from tests.gateway.belongings import Belongings, user_token
from tests.gateway.ownership.others import Others
from tests.sql import Sql
from tests.system import SERVICE_KEY, System

NOT_AUTHENTICATED = "Not authenticated"
DEAD = "Token is not valid or expired. Please log in again"
NO_ADMINISTRATOR = "Only administrators may do this"
NO_CALLER = "You must provide either 'user_id' or your jwt token to continue."
NO_LOOKUP = "Lookup by user_id is not allowed for plain authenticated users."
TWO_CALLERS = "You must provide either 'user_id' or your jwt token, but not both at the same time."


@frozen
class Caller:
    """What somebody sends with each call."""

    token: str | None = None
    key: str | None = None
    query: dict[str, str] = field(factory=dict)
    has: Belongings | None = None
    """What the caller has himself, where that is not what the other user has."""

    @property
    def headers(self) -> dict[str, str]:
        """Token and key as they are sent."""
        bearer = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        return {**bearer, **({} if self.key is None else {"x-api-key": self.key})}


class Reception(Enum):
    """How a caller is received: let in, or refused with this status and sentence."""

    OWN = "for the owner"
    FOREIGN = "for somebody else"
    MEMBER = "for who may use it"
    FORBIDDEN = (403, NO_ADMINISTRATOR)
    MISSING = (401, NOT_AUTHENTICATED)
    DEAD = (401, DEAD)
    NO_CALLER = (400, NO_CALLER)
    NO_LOOKUP = (400, NO_LOOKUP)
    TWO_CALLERS = (400, TWO_CALLERS)
    UNFIT = (403, None)
    """By a key for something else: what it says depends on the operation."""


KEYS = {
    "a key to chat": Scope.CHAT,
    "a key to read": Scope.READ,
    "a key for agents": Scope.AGENTS,
    "a key for administrators": Scope.ADMIN,
}
"""API keys of the owner, who is no administrator, and what they are for."""


def make_keys(sql: Sql, owner: Belongings) -> dict[str, str]:
    """His API keys by name, and one that is none."""
    return {
        **{who: insert_key(sql, owner.user_id, scope) for who, scope in KEYS.items()},
        "an expired key": insert_key(sql, owner.user_id, *Scope, expires_at="-infinity"),
        "a key from a wrong network": insert_key(
            sql, owner.user_id, *Scope, networks="{192.0.2.0/24}"
        ),
        "a revoked key": REVOKED,
    }


def make_callers(
    system: System,
    keys: Mapping[str, str],
    owner: Belongings,
    others: Others,
    deleted: Belongings,
) -> dict[str, Caller]:
    """Everybody by name; `deleted` is the owner's too, but its agent is deleted."""
    other = others.other
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
        ADMINISTRATOR: _user(system, others.administrator),
        MEMBER: _user(system, others.member),
        FORMER: _user(system, others.former),
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
    callers |= {who: Caller(key) for who, key in keys.items()}
    assert callers.keys() == {*RECEPTIONS, *KEYS, OTHERS_KEY}
    return callers


def _user(system: System, has: Belongings) -> Caller:
    token = issue_user_token(system.settings.secret_key, UUID(has.user_id), uuid4())
    return Caller(token, has=has)  # who signs out stays


def insert_key(
    sql: Sql,
    user_id: str,
    *scopes: Scope,
    expires_at: str | None = None,
    networks: str = "{}",
) -> str:
    """A new API key of a user's."""
    key = make_key()
    sql(
        """
        INSERT INTO api_keys (id, user_id, name, hash, start, scopes, networks, expires_at)
        VALUES (gen_random_uuid(), %s, '', %s, '', %s, %s, %s)
        """,
        *(user_id, hash_of(key), list(scopes), networks, expires_at),
    )
    return key


REVOKED = make_key()
OTHERS_KEY = "a key to read of another user"
ADMINISTRATOR = "an administrator"
MEMBER = "a member of the owner's group"
FORMER = "a former member of it"
_ = Reception
_TABLE = {
    #                                USER       or agent   or service   either
    "the owner":                    (_.OWN,     _.OWN,     _.OWN,       _.OWN),
    "an agent of the owner":        (_.DEAD,    _.OWN,     _.DEAD,      _.OWN),
    "another user":                 (_.FOREIGN, _.FOREIGN, _.FOREIGN,   _.FOREIGN),
    "an agent of another user":     (_.DEAD,    _.FOREIGN, _.DEAD,      _.FOREIGN),
    "a revoked key":                (_.DEAD,    _.DEAD,    _.DEAD,      _.DEAD),
    "an expired key":               (_.DEAD,    _.DEAD,    _.DEAD,      _.DEAD),
    "a key from a wrong network":   (_.DEAD,    _.DEAD,    _.DEAD,      _.DEAD),
    ADMINISTRATOR:                  (_.FOREIGN, _.FOREIGN, _.FOREIGN,   _.FOREIGN),
    MEMBER:                         (_.FOREIGN, _.FOREIGN, _.FOREIGN,   _.FOREIGN),
    FORMER:                         (_.FOREIGN, _.FOREIGN, _.FOREIGN,   _.FOREIGN),
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
NAMING_OTHERS = {"another user for the owner", "another user with the key"}
FOR_ADMINISTRATORS = {"/api/usage"}  # where it is for them to name somebody else
RECEPTIONS = {caller: dict(zip(_COLUMNS, row, strict=True)) for caller, row in _TABLE.items()}


def reception(caller: str, operation: Operation) -> Reception:
    """How somebody is received; where anyone may call, everybody is somebody else."""
    if operation.access is Access.ANYONE:
        return Reception.FOREIGN
    if operation.access is Access.ADMIN:
        return _for_administrators(caller)
    if caller in NAMING_OTHERS and operation.path in FOR_ADMINISTRATORS:
        return Reception.FORBIDDEN
    if caller == OTHERS_KEY:
        return Reception.FOREIGN if Scope.READ in operation.opened_by else Reception.UNFIT
    if caller in KEYS:
        opens = KEYS[caller] in operation.opened_by and KEYS[caller] is not Scope.ADMIN
        return Reception.OWN if opens else Reception.UNFIT
    return RECEPTIONS[caller][operation.access]


def _for_administrators(caller: str) -> Reception:
    if caller == ADMINISTRATOR:
        return Reception.OWN
    as_user = RECEPTIONS[caller][Access.USER] if caller in RECEPTIONS else Reception.OWN
    is_let_in = as_user in {Reception.OWN, Reception.FOREIGN}
    return Reception.FORBIDDEN if is_let_in else as_user
