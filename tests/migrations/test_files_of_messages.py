"""What follows from the rows of `files`, whoever writes them."""

from uuid import UUID, uuid4

import pytest
from psycopg import Connection

from shared.upgrade.migrate import migrate, roll_back

from .conftest import NAMES
from .rows import insert, insert_session, insert_user

LATER_ONES = len(NAMES) - NAMES.index("0015-files-of-messages")


@pytest.fixture
def beginning(migrated_database: str) -> str:
    return migrated_database


def insert_file(connection: Connection, owner: UUID, **values: object) -> UUID:
    """Add a file of three bytes."""
    id_ = uuid4()
    file = {
        "id": id_,
        "creator_id": owner,
        "mimetype": "text/plain",
        "original_name": "a.txt",
        "internal_name": f"{id_}.txt",
        "internal_id": id_,
        "from_agent": False,
        "size": 3,
    }
    insert(connection, "files", {**file, **values})
    return id_


def uses(connection: Connection) -> list[tuple[UUID, UUID, UUID | None]]:
    sql = "SELECT file_id, session_id, request_id FROM file_uses ORDER BY position"
    return connection.execute(sql).fetchall()


def totals(connection: Connection) -> dict[UUID, int]:
    found = connection.execute("SELECT user_id, bytes FROM file_totals").fetchall()
    return {user: int(total) for user, total in found}


def test_files_that_are_there_are_taken_over(database: str, connection: Connection) -> None:
    roll_back(database, LATER_ONES)
    owner, other = insert_user(connection), insert_user(connection)
    session, request = insert_session(connection, owner), uuid4()
    sent = insert_file(connection, owner, session_id=session, request_id=request)
    uploaded = insert_file(connection, owner, session_id=session)
    insert_file(connection, owner, size=None)
    insert_file(connection, owner, session_id=uuid4())  # its chat is gone
    insert_file(connection, other, request_id=request, creator_id=None)
    migrate(database)
    assert uses(connection) == [(sent, session, request), (uploaded, session, None)]
    assert totals(connection) == {owner: 9}


def test_a_service_of_the_earlier_version_takes_no_file_away(migrated: Connection) -> None:
    owner = insert_user(migrated)
    sessions = [insert_session(migrated, owner) for _ in range(2)]
    requests = [uuid4() for _ in range(2)]
    file = insert_file(migrated, owner, session_id=sessions[0])
    assert uses(migrated) == [(file, sessions[0], None)]
    for session, request in zip(sessions, requests, strict=True):
        for _ in range(2):
            migrated.execute(
                "UPDATE files SET session_id = %s, request_id = %s WHERE id = %s",
                [session, request, file],
            )
    expected = [(file, *ids) for ids in zip(sessions, requests, strict=True)]
    assert uses(migrated) == expected
    migrated.execute("DELETE FROM chatconversations WHERE session_id = %s", [sessions[1]])
    assert uses(migrated) == expected[:1]


def test_totals_and_objects_follow_the_rows(migrated: Connection) -> None:
    owner, other = insert_user(migrated), insert_user(migrated)
    files = [insert_file(migrated, owner) for _ in range(3)]
    insert_file(migrated, owner, size=None)
    insert_file(migrated, other, size=5 * 10**18)
    insert_file(migrated, other, size=5 * 10**18)
    assert totals(migrated) == {owner: 9, other: 10**19}
    migrated.execute("DELETE FROM files WHERE id = ANY(%s)", [files[:2]])
    assert totals(migrated) == {owner: 3, other: 10**19}
    migrated.execute("DELETE FROM users WHERE id = %s", [owner])
    assert totals(migrated) == {other: 10**19}
    noted = migrated.execute("SELECT internal_name, is_upload FROM stray_objects").fetchall()
    assert len(noted) == 4
    assert {(f"{file}.txt", False) for file in files} <= set(noted)
