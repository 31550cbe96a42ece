"""Users besides the owner, of whom some have to do with him."""

from attrs import frozen

from tests.gateway.belongings import Belongings, insert_person
from tests.sql import Sql
from tests.system import System


@frozen
class Others:
    """Each with objects of each kind."""

    other: Belongings
    administrator: Belongings
    member: Belongings
    """Who is in the owner's group, with which all is shared that can be."""
    former: Belongings


def insert_others(sql: Sql, system: System, owner: Belongings) -> Others:
    """Some, of whom one has been in the owner's group."""
    others = Others(*(insert_person(sql, system) for _ in range(4)))
    sql("UPDATE users SET role = 'admin' WHERE id = %s", others.administrator.user_id)
    for each in (others.member, others.former):
        join(sql, owner, each)
    sql(
        "DELETE FROM group_members WHERE user_id = %s AND group_id = %s",
        *(others.former.user_id, owner.group_id),
    )
    return others


def join(sql: Sql, owner: Belongings, member: Belongings) -> None:
    """Make somebody a member of the owner's group, unless he is one."""
    sql(
        """
        INSERT INTO group_members (group_id, user_id, role) VALUES (%s, %s, 'member')
        ON CONFLICT DO NOTHING
        """,
        *(owner.group_id, member.user_id),
    )


def insert_deletion(sql: Sql, leaver: Belongings) -> None:
    """Note that somebody's account has been deleted, which nobody works on any more."""
    sql(
        """
        INSERT INTO account_deletions (user_id, step, counts, actor, ended_at)
        VALUES (%s, 'done', jsonb_build_object(CAST(%s AS text), 1), '{}', now())
        """,
        *(leaver.user_id, leaver.marker),
    )
