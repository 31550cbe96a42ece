"""Sharing with groups, and listing what is shared."""

from gateway.audit.acting import acting
from gateway.groups import share_queries as queries
from gateway.groups.queries import lock_group
from gateway.groups.schemas import GroupId, GroupSharePage, NewShare, Share, ShareId, SharePage
from gateway.groups.unknown import unknown_group
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.lines import delete, listing
from gateway.web.operation import Operation
from gateway.web.paging import Page
from shared.postgres.pool import transaction


async def create_share(call: Call[NewShare, GroupId]) -> Share:
    """Let a group use something of the user's, who is a member of it.

    Its members can then list and read it, call it and name it in chats, and never change it.
    """
    id_, new, most = call.parameters.group_id, call.body, call.state["settings"].shares_per_group
    async with acting(call) as connection:
        try:
            async with transaction(connection):
                if await lock_group(connection, call.user_id, id_) in {None, "invited"}:
                    raise unknown_group(id_)
                if most and await queries.count_shares(connection, id_) >= most:
                    raise BadRequestError(f"At most {most:,} things can be shared with a group")
                share_id = await queries.insert_share(connection, call.user_id, id_, new)
        except queries.SharedAlreadyError:
            raise BadRequestError(
                f"The {new.kind} '{new.id}' is shared with this group already"
            ) from None
        share = share_id and await queries.select_share(connection, call.user_id, share_id)
    if not share:
        raise BadRequestError(f"You have no {new.kind} with id '{new.id}'")
    return share


async def list_group_shares(call: Call[Nothing, GroupSharePage]) -> Page[Share]:
    """List what is shared with a group that the user is in, newest first."""
    id_ = call.parameters.group_id
    return await call.read_page(
        lambda connection, part: queries.select_shares(connection, call.user_id, id_, part)
    )


async def delete_share(call: Call[Nothing, ShareId]) -> None:
    """End one of the user's shares with a group: no new request uses it any more."""
    group_id, id_ = call.parameters.group_id, call.parameters.share_id
    async with acting(call) as connection:
        if not await queries.delete_share(connection, call.user_id, group_id, id_):
            raise BadRequestError(f"You have shared nothing with id '{id_}' with this group")


async def list_shares(call: Call[Nothing, SharePage]) -> Page[Share]:
    """List what others share with the user, through all his groups, newest first."""
    return await call.read_page(
        lambda connection, part: queries.select_shares(connection, call.user_id, None, part)
    )


OF_GROUP = "/api/groups/{group_id}/shares"

operations = [
    Operation(
        method="POST",
        path=OF_GROUP,
        handler=create_share,
        body=NewShare,
        parameters=GroupId,
        result=Share,
        names={"share_id": "/id"},
    ),
    listing(OF_GROUP, list_group_shares, GroupSharePage, list[Share], fails=False),
    delete(f"{OF_GROUP}/{{share_id}}", delete_share, ShareId),
    listing("/api/shares", list_shares, SharePage, list[Share], fails=False),
]
