"""Rows of the original that no client could read, and what a user there may lack."""

from yoyo import step

from shared.upgrade.repairs import repair_rows

__depends__ = {"0004-open-requests"}

steps = [
    # While there is one, each failed login takes a verification of bcrypt's.
    step(
        "CREATE INDEX ix_users_bcrypt ON users (id) WHERE password LIKE '$2%'",
        "DROP INDEX ix_users_bcrypt",
    ),
    step("""
        INSERT INTO userprofiles (id, user_id)
        SELECT gen_random_uuid(), id FROM users
        WHERE NOT EXISTS (SELECT FROM userprofiles WHERE user_id = users.id)
    """),
    # The next message of a chat stands after those that are there, whatever clock they had.
    step("""
        UPDATE chatconversations SET last_event_at = last.created_at
        FROM (
            SELECT conversation_id, max(created_at) AS created_at
            FROM chatmessages WHERE isfinite(created_at) GROUP BY conversation_id
        ) AS last
        WHERE session_id = conversation_id AND last.created_at > last_event_at
    """),
    step(repair_rows),
]
