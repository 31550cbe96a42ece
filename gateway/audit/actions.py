"""What is noted. Each is a row of docs/reference/audit.md, and whoever does it leaves one entry."""

from enum import StrEnum


class Action(StrEnum):
    """What was done; most are noted by a trigger on the table of what was changed."""

    SIGN_IN_SUCCEEDED = "sign_in.succeeded"
    SIGN_IN_FAILED = "sign_in.failed"
    SIGN_IN_ENDED = "sign_in.ended"
    SIGN_IN_COPIED = "sign_in.copied"
    USER_CREATED = "user.created"
    USER_DELETION_BEGUN = "user.deletion_begun"
    USER_DELETED = "user.deleted"
    USER_EXPORTED = "user.exported"
    USER_IMPORTED = "user.imported"
    USER_ROLE_CHANGED = "user.role_changed"
    USER_LOCKED = "user.locked"
    USER_UNLOCKED = "user.unlocked"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105 (names of what is done)
    PASSWORD_REHASHED = "password.rehashed"  # noqa: S105
    PASSWORD_LINK_CREATED = "password_link.created"  # noqa: S105
    EMAIL_CHANGED = "email.changed"
    IDENTITY_LINKED = "identity.linked"
    IDENTITY_UNLINKED = "identity.unlinked"
    KEY_CREATED = "key.created"
    KEY_CHANGED = "key.changed"
    KEY_DELETED = "key.deleted"
    GROUP_CREATED = "group.created"
    GROUP_CHANGED = "group.changed"
    GROUP_DELETED = "group.deleted"
    MEMBER_INVITED = "member.invited"
    MEMBER_CHANGED = "member.changed"
    MEMBER_DELETED = "member.deleted"
    SHARE_CREATED = "share.created"
    SHARE_DELETED = "share.deleted"
    BUDGET_CREATED = "budget.created"
    BUDGET_CHANGED = "budget.changed"
    BUDGET_DELETED = "budget.deleted"
    REQUEST_CANCELLED = "request.cancelled"
    PROVIDER_CREATED = "provider.created"
    PROVIDER_CHANGED = "provider.changed"
    PROVIDER_DELETED = "provider.deleted"
    CONFIG_CREDENTIALS_CHANGED = "config_credentials.changed"
    CONFIG_CREDENTIALS_DELETED = "config_credentials.deleted"
    MCP_CREDENTIALS_CHANGED = "mcp_credentials.changed"
    MCP_CREDENTIALS_DELETED = "mcp_credentials.deleted"
    A2A_CREDENTIALS_CHANGED = "a2a_credentials.changed"
    A2A_CREDENTIALS_DELETED = "a2a_credentials.deleted"
    SECRET_REENCRYPTED = "secret.reencrypted"  # noqa: S105
