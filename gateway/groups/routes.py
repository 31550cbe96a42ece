"""Making, reading, changing and deleting groups, and who is in them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from databases.core import Connection

from gateway.audit.acting import acting
from gateway.groups import queries, share_routes
from gateway.groups.schemas import (
    Group,
    GroupChanges,
    GroupId,
    GroupMember,
    GroupPage,
    MemberChanges,
    MemberId,
    MemberPage,
    NewGroup,
    NewMember,
)
from gateway.groups.unknown import unknown_group
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.lines import delete, get, listing, patch, post
from gateway.web.operation import Operation
from gateway.web.paging import Page
from gateway.web.quotas import within
from shared.postgres.pool import connect, transaction

NOT_A_MANAGER = "Only a manager of the group may do this"
NOBODY = "Nobody who can be invited has the name '{}'"
LAST_MANAGER = "This is the group's last manager: make another member one first"


async def create_group(call: Call[NewGroup, Nothing]) -> Group:
    """Make a group; who makes it is its manager."""
    async with acting(call) as connection:
        async with within(queries.GROUPS, call, connection):
            id_ = await queries.insert_group(connection, call.user_id, call.body.name.strip())
        return await _read(connection, call, id_)


async def list_groups(call: Call[Nothing, GroupPage]) -> Page[Group]:
    """List the groups that the user is in, or invited to."""
    return await call.read_page(
        lambda connection, part: queries.select_groups(connection, call.user_id, part)
    )


async def read_group(call: Call[Nothing, GroupId]) -> Group:
    """Read a group that the user is in, or invited to."""
    async with connect(call.database) as connection:
        return await _read(connection, call, call.parameters.group_id)


async def update_group(call: Call[GroupChanges, GroupId]) -> Group:
    """Give a group another name; for its managers."""
    id_ = call.parameters.group_id
    async with acting(call) as connection:
        if not await queries.update_group(connection, call.user_id, id_, call.body.name.strip()):
            raise await _refusal(connection, call, id_)
        return await _read(connection, call, id_)


async def delete_group(call: Call[Nothing, GroupId]) -> None:
    """Delete a group; for its managers. Nothing is shared through it any more."""
    id_ = call.parameters.group_id
    async with acting(call) as connection:
        if not await queries.delete_group(connection, call.user_id, id_):
            raise await _refusal(connection, call, id_)


async def list_group_members(call: Call[Nothing, MemberPage]) -> Page[GroupMember]:
    """List who is in a group, or invited to it."""
    id_ = call.parameters.group_id
    page = await call.read_page(
        lambda connection, part: queries.select_members(connection, call.user_id, id_, part)
    )
    if not page.rows:
        async with connect(call.database) as connection:
            await _read(connection, call, id_)
    return page


async def create_group_member(call: Call[NewMember, GroupId]) -> GroupMember:
    """Invite a user to a group by his name; for its managers.

    He is a member when he has accepted it, and uses nothing of the group before.
    """
    id_, most = call.parameters.group_id, call.state["settings"].members_per_group
    async with acting(call) as connection, _managing(connection, call, id_):
        if most and await queries.count_members(connection, id_) >= most:
            raise BadRequestError(f"A group may have {most:,} members, those invited included")
        member = await queries.insert_member(connection, id_, call.body.username.strip())
    if member is None:
        raise BadRequestError(NOBODY.format(call.body.username))
    return member


async def update_group_member(call: Call[MemberChanges, MemberId]) -> GroupMember:
    """Make a member a manager, or a manager a member; for its managers."""
    id_, user, role = call.parameters.group_id, call.parameters.user_id, call.body.role
    async with acting(call) as connection, _managing(connection, call, id_):
        member = await queries.update_member(connection, id_, user, role)
    if member is None:
        raise _no_member(user)
    if member.role != role:
        raise BadRequestError(LAST_MANAGER)
    return member


async def delete_group_member(call: Call[Nothing, MemberId]) -> None:
    """Remove somebody from a group, with what he shares with it; for its managers."""
    id_, user = call.parameters.group_id, call.parameters.user_id
    async with acting(call) as connection, _managing(connection, call, id_):
        deleted = await queries.delete_member(connection, id_, user)
    if not deleted:
        raise _no_member(user)


async def create_membership(call: Call[Nothing, GroupId]) -> Group:
    """Accept an invitation: what is shared with the group can be used from now on."""
    id_ = call.parameters.group_id
    async with acting(call) as connection:
        async with within(queries.GROUPS, call, connection):
            if not await queries.update_invited(connection, call.user_id, id_):
                raise BadRequestError(f"You are not invited to a group with id '{id_}'")
        return await _read(connection, call, id_)


async def delete_membership(call: Call[Nothing, GroupId]) -> None:
    """Leave a group, or decline an invitation.

    What the user shares with the group is so no more. When its last manager leaves, who has been
    in it longest becomes one; with its last member it is gone.
    """
    id_ = call.parameters.group_id
    async with acting(call) as connection:
        await queries.lock_group(connection, call.user_id, id_)
        if not await queries.delete_member(connection, id_, call.user_id):
            raise unknown_group(id_)


async def _read(connection: Connection, call: Call[Any, Any], id_: UUID) -> Group:
    group = await queries.select_group(connection, call.user_id, id_)
    if group is None:
        raise unknown_group(id_)
    return group


@asynccontextmanager
async def _managing(connection: Connection, call: Call[Any, Any], id_: UUID) -> AsyncIterator[None]:
    """A transaction of a manager's, in which nobody else changes the group's members."""
    async with transaction(connection):
        role = await queries.lock_group(connection, call.user_id, id_)
        if role != "manager":
            raise unknown_group(id_) if role is None else BadRequestError(NOT_A_MANAGER)
        yield


async def _refusal(connection: Connection, call: Call[Any, Any], id_: UUID) -> BadRequestError:
    is_in = await queries.select_group(connection, call.user_id, id_) is not None
    return BadRequestError(NOT_A_MANAGER) if is_in else unknown_group(id_)


def _no_member(user: UUID) -> BadRequestError:
    return BadRequestError(f"The group has no member with id '{user}'")


ONE, MEMBERS = "/api/groups/{group_id}", "/api/groups/{group_id}/members"
MEMBERSHIP = "/api/groups/{group_id}/membership"

operations = [
    post("/api/groups", create_group, NewGroup, Group, names={"group_id": "/id"}),
    listing("/api/groups", list_groups, GroupPage, list[Group], fails=False),
    get(ONE, read_group, GroupId, Group),
    patch(ONE, update_group, GroupChanges, GroupId, Group),
    delete(ONE, delete_group, GroupId),
    listing(MEMBERS, list_group_members, MemberPage, list[GroupMember]),
    Operation(
        method="POST",
        path=MEMBERS,
        handler=create_group_member,
        body=NewMember,
        parameters=GroupId,
        result=GroupMember,
    ),
    patch(f"{MEMBERS}/{{user_id}}", update_group_member, MemberChanges, MemberId, GroupMember),
    delete(f"{MEMBERS}/{{user_id}}", delete_group_member, MemberId),
    Operation(
        method="POST",
        path=MEMBERSHIP,
        handler=create_membership,
        parameters=GroupId,
        result=Group,
    ),
    delete(MEMBERSHIP, delete_membership, GroupId),
    *share_routes.operations,
]
