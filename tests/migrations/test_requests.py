"""What the tables refuse since the second migration, and what they let go."""

from uuid import UUID, uuid4

import pytest
from psycopg import Connection
from psycopg.errors import CheckViolation, UniqueViolation

from .rows import (
    insert_config,
    insert_log,
    insert_request,
    insert_session,
    insert_user,
    select_creator,
)


def test_session_runs_one_request_at_a_time(migrated: Connection, session: UUID) -> None:
    insert_request(migrated, session, status="running")
    insert_request(migrated, session)
    insert_request(migrated, session, status="answered", ended_at="now", seq=1)
    with pytest.raises(UniqueViolation, match="uq_requests_running"):
        insert_request(migrated, session, status="running")


def test_sessions_run_requests_side_by_side(migrated: Connection, session: UUID) -> None:
    other = insert_session(migrated, select_creator(migrated, session))
    insert_request(migrated, session, status="running")
    insert_request(migrated, other, status="running")


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"status": "lost", "ended_at": "now", "seq": 1}, "ck_requests_status"),
        ({"status": "answered", "ended_at": "now"}, "ck_requests_seq"),
        ({"status": "cancelled", "seq": 1}, "ck_requests_ended_at"),
        ({"status": "queued", "seq": 1}, "ck_requests_seq"),
        ({"status": "running", "ended_at": "now"}, "ck_requests_ended_at"),
    ],
)
def test_request_has_an_end_and_a_seq_when_it_ended_and_not_before(
    migrated: Connection, session: UUID, values: dict[str, object], constraint: str
) -> None:
    with pytest.raises(CheckViolation, match=constraint):
        insert_request(migrated, session, **values)


def test_no_two_answers_of_a_session_share_a_seq(migrated: Connection, session: UUID) -> None:
    insert_request(migrated, session, status="answered", ended_at="now", seq=1)
    with pytest.raises(UniqueViolation, match="uq_requests_session_seq"):
        insert_request(migrated, session, status="failed", ended_at="now", seq=1)


def test_no_two_logs_of_a_session_share_a_seq_unless_they_have_none(
    migrated: Connection, session: UUID
) -> None:
    for seq in (None, None, 1):
        insert_log(migrated, session, seq)
    with pytest.raises(UniqueViolation, match="uq_logs_session_seq"):
        insert_log(migrated, session, 1)


def test_requests_go_with_their_session(migrated: Connection, session: UUID) -> None:
    insert_request(migrated, session)
    migrated.execute("DELETE FROM chatconversations")
    assert migrated.execute("SELECT 1 FROM requests").fetchall() == []


def test_request_outlives_the_provider_whose_key_it_used(
    migrated: Connection, session: UUID
) -> None:
    provider = uuid4()
    migrated.execute("INSERT INTO modelproviders VALUES (%s, 'openai', 'key', '{}')", [provider])
    insert_request(migrated, session, provider_id=provider)
    migrated.execute("DELETE FROM modelproviders")
    assert migrated.execute("SELECT provider_id FROM requests").fetchall() == [(provider,)]


def test_router_session_is_one_row(migrated: Connection) -> None:
    assert migrated.execute("SELECT id FROM router_session").fetchall() == [(True,)]
    with pytest.raises(UniqueViolation), migrated.transaction():
        migrated.execute("INSERT INTO router_session DEFAULT VALUES")
    with pytest.raises(CheckViolation):
        migrated.execute("INSERT INTO router_session (id) VALUES (false)")


def test_name_of_a_config_is_taken_for_its_owner_only(migrated: Connection, session: UUID) -> None:
    owner, other = select_creator(migrated, session), insert_user(migrated)
    insert_config(migrated, owner, "mine")
    insert_config(migrated, other, "mine")
    with pytest.raises(UniqueViolation, match="uq_modelconfigs_creator_name"):
        insert_config(migrated, owner, "mine")
