"""Groups in which somebody shares something with somebody else."""

from tests.users import User


async def make_group(manager: User, *members: User) -> str:
    """The id of a group in which these are, besides its manager."""
    created = await manager.http.post("/api/groups", json={"name": "team"})
    assert created.status_code == 200, created.text
    id_: str = created.json()["id"]
    for member in members:
        await join(manager, member, id_)
    return id_


async def join(manager: User, member: User, group_id: str) -> None:
    """Invite somebody, who accepts."""
    invited = await manager.http.post(
        f"/api/groups/{group_id}/members", json={"username": member.name}
    )
    assert invited.json()["role"] == "invited", invited.text
    accepted = await member.http.post(f"/api/groups/{group_id}/membership")
    assert accepted.json()["role"] == "member", accepted.text


async def share(owner: User, group_id: str, kind: str, id_: str) -> str:
    """The id of a new share of something of the owner's."""
    made = await owner.http.post(f"/api/groups/{group_id}/shares", json={"kind": kind, "id": id_})
    assert made.status_code == 200, made.text
    share_id: str = made.json()["id"]
    return share_id


async def unshare(owner: User, group_id: str, share_id: str) -> None:
    """End a share."""
    ended = await owner.http.delete(f"/api/groups/{group_id}/shares/{share_id}")
    assert ended.status_code == 204, ended.text
