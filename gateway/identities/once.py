"""What is good once: states, codes and logout tokens. Only a hash of each is kept."""

from uuid import UUID

from databases.core import Connection

SWEPT_LIMIT = 100  # of all that may be forgotten, at each further one


async def take_once(connection: Connection, id_: UUID, seconds: float) -> bool:
    """Whether nobody has come with it before; for so many seconds nobody else may."""
    sql = """
        WITH forgotten AS (
            DELETE FROM oidc_seen WHERE id IN (
                SELECT id FROM oidc_seen WHERE forget_at < now() AND id <> :id
                LIMIT :swept FOR UPDATE SKIP LOCKED
            )
        )
        INSERT INTO oidc_seen (id, forget_at)
        VALUES (:id, now() + make_interval(secs => :seconds))
        ON CONFLICT (id) DO NOTHING RETURNING id
    """
    values = {"id": id_, "seconds": seconds, "swept": SWEPT_LIMIT}
    return await connection.fetch_val(sql, values) is not None
