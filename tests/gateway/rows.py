"""Sessions with frames, written as the bridge writes them."""

import json
from uuid import UUID, uuid4

from databases import Database
from databases.core import Connection

from shared.postgres.pool import connect
from tests.master import answer


async def insert_user(database: Database) -> UUID:
    """A user without a usable password."""
    id_ = uuid4()
    async with connect(database) as connection:
        await connection.execute(
            "INSERT INTO users (id, username, password) VALUES (:id, :name, '-')",
            {"id": id_, "name": str(id_)},
        )
    return id_


async def insert_session(database: Database, owner: UUID, last_seq: int = 0) -> UUID:
    """A chat of theirs."""
    id_ = uuid4()
    async with connect(database) as connection:
        await connection.execute(
            """
            INSERT INTO chatconversations (session_id, title, creator_id, last_seq)
            VALUES (:id, 't', :owner, :last_seq)
            """,
            {"id": id_, "owner": owner, "last_seq": last_seq},
        )
    return id_


async def insert_logs(database: Database, session_id: UUID, seqs: range) -> None:
    """Log entries with these numbers, which are their messages too."""
    sql = """
        INSERT INTO logs (session_id, request_id, log_level, message, seq)
        SELECT :session_id, gen_random_uuid(), 'info', number, number
        FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS number
    """
    values = {"session_id": session_id, "first": seqs.start, "last": seqs.stop - 1}
    async with connect(database) as connection:
        await connection.execute(sql, values)
        await _give_out(connection, session_id, seqs.stop - 1)


async def _give_out(connection: Connection, session_id: UUID, seq: int) -> None:
    sql = """
        UPDATE chatconversations SET last_seq = greatest(last_seq, :seq)
        WHERE session_id = :session_id
    """
    await connection.execute(sql, {"session_id": session_id, "seq": seq})


async def insert_answer(database: Database, owner: UUID, session_id: UUID, seq: int) -> UUID:
    """A request that was answered with this number."""
    request_id = uuid4()
    async with connect(database) as connection:
        await _insert_request(connection, owner, session_id, request_id, seq)
        await _give_out(connection, session_id, seq)
        await connection.execute(
            """
            INSERT INTO chatmessages (id, request_id, sender_type, content, conversation_id)
            VALUES (:id, :request_id, 'master_agent', :content, :session_id)
            """,
            {
                "id": uuid4(),
                "request_id": request_id,
                "content": json.dumps(answer(str(seq))),
                "session_id": session_id,
            },
        )
    return request_id


async def _insert_request(
    connection: Connection, owner: UUID, session_id: UUID, request_id: UUID, seq: int
) -> None:
    await connection.execute(
        """
        INSERT INTO requests (id, session_id, creator_id, status, seq, deadline, ended_at)
        VALUES (:id, :session_id, :owner, 'answered', :seq, now(), now())
        """,
        {"id": request_id, "session_id": session_id, "owner": owner, "seq": seq},
    )
