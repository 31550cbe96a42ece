"""What there is of a user, in the order in which it is removed: for each kind a statement.

A statement removes some and tells how many of what, so it can be cut short and begun anew at any
time; a kind is done when nothing is found any more. What was found first is found by an index.
"""

from attrs import frozen


@frozen
class Step:
    """A kind of thing, and the statement that removes at most `:most` of those of `:owner`."""

    name: str
    sql: str


def _owned(name: str, table: str, *, owner: str = "creator_id", key: str = "id") -> Step:
    """Rows with the user's id, which have a key of one column."""
    return Step(
        name,
        f"""
        WITH gone AS (
            DELETE FROM {table}
            WHERE {owner} = :owner
              AND {key} = ANY(ARRAY(
                  SELECT {key} FROM {table} WHERE {owner} = :owner LIMIT :most
              ))
            RETURNING 1
        )
        SELECT count(*) AS {name} FROM gone
        """,  # noqa: S608 (names of ours)
    )


def _few(name: str, table: str, *, owner: str = "user_id") -> Step:
    """Rows of which a user has no more than there are days, or groups."""
    return Step(
        name,
        f"""
        WITH gone AS (
            DELETE FROM {table} WHERE {owner} = :owner AND CAST(:most AS int) > 0 RETURNING 1
        )
        SELECT count(*) AS {name} FROM gone
        """,  # noqa: S608 (names of ours)
    )


FILES = Step(
    "files",
    """
    WITH gone AS (
        DELETE FROM files WHERE creator_id = :owner AND id = ANY(ARRAY(
            SELECT id FROM files WHERE creator_id = :owner LIMIT :most
        ))
        RETURNING internal_name, size
    )
    SELECT count(*) AS files, CAST(coalesce(sum(size), 0) AS bigint) AS bytes_of_files,
           array_agg(internal_name) AS told
    FROM gone
    """,
)
"""Triggers note their objects, which are removed from the storage thereafter."""

AGENTS = Step(
    "agents",
    """
    WITH gone AS (
        DELETE FROM agents WHERE creator_id = :owner AND id = ANY(ARRAY(
            SELECT id FROM agents WHERE creator_id = :owner LIMIT :most
        ))
        RETURNING id
    )
    SELECT count(*) AS agents, array_agg(id) AS told FROM gone
    """,
)

# Of some chats at a time: one that has been emptied is looked at no more. Entries of the original
# may name nobody, and are found by their chat.
_CHATS = """
    WITH chat AS (
        SELECT session_id FROM chatconversations
        WHERE creator_id = :owner ORDER BY created_at DESC, session_id LIMIT 100
    ), message AS (
        SELECT id FROM chatmessages
        WHERE conversation_id IN (SELECT session_id FROM chat) LIMIT :most
    ), entry AS (
        SELECT id FROM logs WHERE session_id IN (SELECT session_id FROM chat) LIMIT :most
    ), messages AS (
        DELETE FROM chatmessages WHERE id = ANY(ARRAY(SELECT id FROM message)) RETURNING 1
    ), entries AS (
        DELETE FROM logs
        WHERE id = ANY(ARRAY(SELECT id FROM entry))
          AND session_id IN (SELECT session_id FROM chat)
        RETURNING 1
    ), chats AS (
        DELETE FROM chatconversations USING chat
        WHERE chatconversations.session_id = chat.session_id
          AND (SELECT count(*) FROM message) < :most AND (SELECT count(*) FROM entry) < :most
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM messages) AS messages,
           (SELECT count(*) FROM entries) AS log_entries, (SELECT count(*) FROM chats) AS chats
"""
_TOOLS = """
    WITH gone AS (
        DELETE FROM mcptools WHERE id = ANY(ARRAY(
            SELECT mcptools.id FROM mcpservers JOIN mcptools ON mcp_server_id = mcpservers.id
            WHERE creator_id = :owner LIMIT :most
        ))
        RETURNING 1
    )
    SELECT count(*) AS mcp_tools FROM gone
"""
# Others may be in it too: then only his part in it goes, with him.
_PROJECTS = """
    WITH gone AS (
        DELETE FROM projects WHERE id = ANY(ARRAY(
            SELECT project_id FROM user_project_associations AS own
            WHERE user_id = :owner AND NOT EXISTS (
                SELECT FROM user_project_associations AS other
                WHERE other.project_id = own.project_id AND other.user_id <> :owner
            )
            LIMIT :most
        ))
        RETURNING 1
    )
    SELECT count(*) AS projects FROM gone
"""

OPEN_REQUESTS = "open_requests"
"""The first step, which no statement does: they are cancelled, and that is told."""
ACCOUNT = "account"
"""The last step: the user's own row, and with it the name."""

STEPS = [
    _owned("log_entries", "logs"),
    FILES,
    _owned("requests", "requests"),
    Step("chats", _CHATS),
    _owned("publications", "publications"),
    _few("shares", "shares", owner="owner_id"),
    _few("group_memberships", "group_members"),
    AGENTS,
    _owned("flows", "agentworkflows"),
    Step("mcp_tools", _TOOLS),
    _owned("mcp_authorizations", "mcp_authorizations"),
    _owned("mcp_servers", "mcpservers"),
    _owned("a2a_agents", "a2acards"),
    _owned("model_configs", "modelconfigs"),
    _owned("model_providers", "modelproviders"),
    Step("projects", _PROJECTS),
    _few("project_memberships", "user_project_associations"),
    _few("team_memberships", "user_team_associations"),
    _owned("api_keys", "api_keys", owner="user_id"),
    _owned("identities", "identities", owner="user_id"),
    _owned("sign_ins", "sign_ins", owner="user_id"),
    _few("one_time_tokens", "one_time_tokens"),
    _few("usage_days", "usage_days"),
    _few("budgets", "budgets"),
    _few("file_totals", "file_totals"),
    _few("profiles", "userprofiles"),
]
