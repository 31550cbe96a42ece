"""Groups and their members in PostgreSQL; each statement says itself who may."""

from uuid import UUID, uuid4

from databases.core import Connection
from databases.interfaces import Record

from gateway.groups.schemas import Group, GroupMember, MemberRole
from gateway.web.paging import Page, Slice, select_page
from gateway.web.quotas import Quota
from gateway.web.told import Told
from shared.postgres.rows import builder

INVITATIONS_LIMIT = 100  # of a user, that he has not answered

GROUPS = Quota(
    "groups",
    lambda settings: settings.groups_per_user,
    "SELECT count(*) FROM group_members WHERE user_id = :owner AND role <> 'invited'",
)


async def insert_group(connection: Connection, user: UUID, name: str) -> UUID:
    """The id of a new group, of which this user is the manager."""
    sql = """
        WITH made AS (
            INSERT INTO groups (id, name) VALUES (:id, :name)
        )
        INSERT INTO group_members (group_id, user_id, role) VALUES (:id, :user, 'manager')
        RETURNING group_id
    """
    values = {"id": uuid4(), "name": name, "user": user}
    id_: UUID = await connection.fetch_val(sql, values)
    return id_


async def select_groups(connection: Connection, user: UUID, part: Slice) -> Page[Group]:
    """Those that this user is in, or invited to, the newest membership first."""
    sql = """
        SELECT groups.id, name, role, groups.created_at, groups.updated_at,
               200 + octet_length(name) AS bytes
        FROM group_members JOIN groups ON groups.id = group_id
        WHERE user_id = :user
        ORDER BY group_members.created_at DESC, groups.id LIMIT :limit OFFSET :offset
    """
    told = Told(Group, texts={"members": "CAST(coalesce(members, 0) AS text)"})
    joined = """
        LEFT JOIN (
            WITH counted AS MATERIALIZED (
                SELECT group_id, count(*) AS members FROM group_members
                WHERE group_id = ANY(ARRAY(SELECT id FROM told)) AND role <> 'invited'
                GROUP BY group_id
            )
            SELECT * FROM counted
        ) AS counted ON group_id = told.id
    """
    return await select_page(connection, sql, {"user": user}, part, told, joined)


async def select_group(connection: Connection, user: UUID, id_: UUID) -> Group | None:
    """One that this user is in, or invited to."""
    sql = """
        SELECT groups.id, name, role, (
                   SELECT count(*) FROM group_members AS others
                   WHERE others.group_id = groups.id AND others.role <> 'invited'
               ) AS members, groups.created_at, groups.updated_at
        FROM group_members JOIN groups ON groups.id = group_id
        WHERE user_id = :user AND groups.id = :id
    """
    row = await connection.fetch_one(sql, {"user": user, "id": id_})
    return _group(row) if row else None


async def lock_group(connection: Connection, user: UUID, id_: UUID) -> MemberRole | None:
    """What this user is in a group, which nobody else changes until the transaction ends."""
    sql = """
        WITH locked AS (SELECT id FROM groups WHERE id = :id FOR NO KEY UPDATE)
        SELECT id FROM locked
    """
    await connection.execute(sql, {"id": id_})
    sql = "SELECT role FROM group_members WHERE group_id = :id AND user_id = :user"
    role: MemberRole | None = await connection.fetch_val(sql, {"id": id_, "user": user})
    return role


async def update_group(connection: Connection, manager: UUID, id_: UUID, name: str) -> bool:
    """Whether this user is a manager of such a group, which has another name now."""
    sql = """
        UPDATE groups SET name = :name, updated_at = now()
        FROM group_members
        WHERE groups.id = :id AND group_id = groups.id AND user_id = :manager AND role = 'manager'
        RETURNING groups.id
    """
    values = {"manager": manager, "id": id_, "name": name}
    return await connection.fetch_val(sql, values) is not None


async def delete_group(connection: Connection, manager: UUID, id_: UUID) -> bool:
    """Whether this user was a manager of such a group; what was shared with it is so no more."""
    sql = """
        DELETE FROM groups USING group_members
        WHERE groups.id = :id AND group_id = groups.id AND user_id = :manager AND role = 'manager'
        RETURNING groups.id
    """
    return await connection.fetch_val(sql, {"manager": manager, "id": id_}) is not None


async def select_members(
    connection: Connection, user: UUID, id_: UUID, part: Slice
) -> Page[GroupMember]:
    """Who is in a group that this user is in, or invited to, in the order of coming."""
    sql = """
        SELECT user_id, username, group_members.role, group_members.created_at, 512 AS bytes
        FROM group_members JOIN users ON users.id = user_id
        WHERE group_id = :id AND EXISTS (
            SELECT FROM group_members AS own WHERE own.group_id = :id AND own.user_id = :user
        )
        ORDER BY group_members.created_at, user_id LIMIT :limit OFFSET :offset
    """
    return await select_page(connection, sql, {"user": user, "id": id_}, part, Told(GroupMember))


async def count_members(connection: Connection, id_: UUID) -> int:
    """How many are in a group, or invited to it."""
    sql = "SELECT count(*) FROM group_members WHERE group_id = :id"
    return int(await connection.fetch_val(sql, {"id": id_}))


async def insert_member(connection: Connection, id_: UUID, username: str) -> GroupMember | None:
    """Who is invited now, or was there before; None: nobody has this name, or too many have asked.

    For who has locked the group as its manager.
    """
    sql = """
        WITH named AS (
            SELECT id FROM users WHERE username = :username
        ), added AS (
            INSERT INTO group_members (group_id, user_id, role)
            SELECT CAST(:id AS uuid), id, 'invited' FROM named
            WHERE :most > (
                SELECT count(*) FROM group_members WHERE user_id = named.id AND role = 'invited'
            )
            ON CONFLICT DO NOTHING
            RETURNING user_id, role, created_at
        ), there AS (
            SELECT user_id, role, created_at FROM added
            UNION ALL
            SELECT user_id, role, created_at
            FROM group_members JOIN named ON named.id = user_id WHERE group_id = :id
        )
        SELECT user_id, CAST(:username AS text) AS username, role, created_at FROM there
    """
    values = {"id": id_, "username": username, "most": INVITATIONS_LIMIT}
    row = await connection.fetch_one(sql, values)
    return _member(row) if row else None


async def update_member(
    connection: Connection, id_: UUID, user: UUID, role: MemberRole
) -> GroupMember | None:
    """A member's role after the change; None: he is none. For who has locked the group.

    Its last manager stays one.
    """
    sql = """
        UPDATE group_members SET role = CASE
            WHEN CAST(:role AS text) = 'manager' OR EXISTS (
                SELECT FROM group_members AS other
                WHERE other.group_id = :id AND other.user_id <> :user AND other.role = 'manager'
            ) THEN :role ELSE group_members.role END
        FROM users
        WHERE group_id = :id AND user_id = :user AND users.id = user_id
          AND group_members.role <> 'invited'
        RETURNING user_id, username, group_members.role, group_members.created_at
    """
    row = await connection.fetch_one(sql, {"id": id_, "user": user, "role": role})
    return _member(row) if row else None


async def update_invited(connection: Connection, user: UUID, id_: UUID) -> bool:
    """Whether this user was invited to the group, and is a member now."""
    sql = """
        UPDATE group_members SET role = 'member'
        WHERE group_id = :id AND user_id = :user AND role = 'invited' RETURNING user_id
    """
    return await connection.fetch_val(sql, {"user": user, "id": id_}) is not None


async def delete_member(connection: Connection, id_: UUID, user: UUID) -> bool:
    """Whether the user was in the group, or invited; what he shared with it is so no more."""
    sql = "DELETE FROM group_members WHERE group_id = :id AND user_id = :user RETURNING user_id"
    return await connection.fetch_val(sql, {"id": id_, "user": user}) is not None


_build_group, _build_member = builder(Group), builder(GroupMember)


def _group(row: Record) -> Group:
    return _build_group(row)


def _member(row: Record) -> GroupMember:
    return _build_member(row)
