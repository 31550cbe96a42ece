"""Messages that are there already are found by their owners."""

from uuid import uuid4

import pytest
from psycopg import Connection

from shared.upgrade.migrate import migrate, roll_back

from .conftest import NAMES
from .rows import insert, insert_user

LATER_ONES = len(NAMES) - NAMES.index("0045-search")


@pytest.fixture
def beginning(migrated_database: str) -> str:
    return migrated_database


def test_messages_get_the_owners_of_their_chats(database: str, connection: Connection) -> None:
    roll_back(database, LATER_ONES)
    owner, session_id = insert_user(connection), uuid4()
    chat = {"session_id": session_id, "title": "t", "creator_id": owner}
    insert(connection, "chatconversations", chat)
    message = {"sender_type": "user", "content": "apple"}
    for number in range(1001):  # more than are changed at once
        told = {**message, "id": uuid4(), "conversation_id": session_id if number else None}
        insert(connection, "chatmessages", told)
    migrate(database)
    query = "SELECT owner_id, count(*) FROM chatmessages GROUP BY 1 ORDER BY 2"
    assert connection.execute(query).fetchall() == [(None, 1), (owner, 1000)]
