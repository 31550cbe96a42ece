"""A deletion that is cut short by a kill is gone on with by whoever is there."""

from uuid import uuid4

import httpx2

from shared.tokens import issue_user_token
from tests.gateway.leaving.test_deletion import left_of, until_deleted
from tests.sql import Sql, run_sql
from tests.system import System
from tests.users import connect_to, eventually, insert_sign_in

CHATS, MESSAGES, ENTRIES = 5, 4000, 3000  # of each chat
CUT_SHORT = """
    SELECT ended_at,
        (SELECT count(*) FROM chatconversations WHERE creator_id = user_id)
        + (SELECT count(*) FROM logs WHERE creator_id = user_id)
        + (SELECT count(*) FROM chatmessages WHERE conversation_id IN (
            SELECT session_id FROM chatconversations WHERE creator_id = user_id
        ))
        + (SELECT sum(CAST(value AS bigint)) FROM jsonb_each_text(counts)
           WHERE key IN ('chats', 'messages', 'log_entries')) AS things
    FROM account_deletions WHERE user_id = %s
"""


def insert_much(sql: Sql, user_id: str) -> None:
    """A user with thousands of messages and log entries."""
    sql("INSERT INTO users (id, username, password) VALUES (%s, %s, '-')", user_id, user_id)
    sql(
        "INSERT INTO chatconversations (session_id, title, creator_id)"
        " SELECT gen_random_uuid(), 't', %s FROM generate_series(1, %s)",
        *(user_id, CHATS),
    )
    sql(
        "INSERT INTO chatmessages (id, sender_type, content, conversation_id)"
        " SELECT gen_random_uuid(), 'user', 'm', session_id"
        " FROM chatconversations, generate_series(1, %s) WHERE creator_id = %s",
        *(MESSAGES, user_id),
    )
    sql(
        "INSERT INTO logs (session_id, request_id, creator_id, message, log_level, created_at)"
        " SELECT session_id, gen_random_uuid(), creator_id, 'm', 'info',"
        "        timezone('utc', now()) - mod(n, 100) * interval '1 day'"
        " FROM chatconversations, generate_series(1, %s) AS n WHERE creator_id = %s",
        *(ENTRIES, user_id),
    )


async def removed(sql: Sql, user_id: str) -> int:
    [row] = sql("SELECT counts FROM account_deletions WHERE user_id = %s", user_id)
    return sum(row["counts"].values())


async def test_a_deletion_survives_a_kill_and_its_numbers_are_exact(bare_system: System) -> None:
    user_id = uuid4()
    with run_sql(bare_system.settings) as sql:
        insert_much(sql, str(user_id))
        gateway = bare_system.start_gateway()
        token = issue_user_token(
            bare_system.settings.secret_key, user_id, insert_sign_in(sql, user_id)
        )
        async with connect_to(bare_system.gateway, Authorization=f"Bearer {token}") as http:
            begun = await http.post("/api/me/deletion")
        assert begun.status_code == httpx2.codes.ACCEPTED

        async def has_removed_some() -> bool:
            return await removed(sql, str(user_id)) > 0

        await eventually(has_removed_some, "something is removed")
        gateway.kill()
        [cut] = sql(CUT_SHORT, str(user_id))
        assert cut["ended_at"] is None, "the kill came in the middle"
        assert cut["things"] == CHATS * (1 + MESSAGES + ENTRIES), "none is counted twice, or not"
        bare_system.start_gateway()
        counts = await until_deleted(sql, str(user_id))
        assert counts == {
            "cancelled_requests": 0,
            "log_entries": CHATS * ENTRIES,
            "messages": CHATS * MESSAGES,
            "chats": CHATS,
            "sign_ins": 1,
        }
        assert left_of(sql, str(user_id)) == {}
        assert "the account" in bare_system.log_of("gateway 2")
