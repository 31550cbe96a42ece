"""Who is in a group, and who may say so."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.gateway.groups.sharing import join, make_group, share
from tests.sql import Sql
from tests.system import System
from tests.users import Json, User, insert_user


@pytest.fixture
async def third_user(system: System, sql: Sql) -> AsyncIterator[User]:
    async with insert_user(system, sql) as user:
        yield user


async def roles(user: User, group_id: str) -> dict[str, str]:
    """The roles in a group by name."""
    listed = (await user.http.get(f"/api/groups/{group_id}/members")).json()
    return {each["username"]: each["role"] for each in listed}


async def refusal(call: object) -> str:
    """The sentence of a 400."""
    answer = await call  # type: ignore[misc]
    assert answer.status_code == 400, answer.text
    return str(answer.json()["detail"])


async def test_who_makes_a_group_manages_it_and_who_is_invited_has_to_accept(
    user: User, other_user: User
) -> None:
    group_id = await make_group(user)
    invited = await user.http.post(
        f"/api/groups/{group_id}/members", json={"username": other_user.name}
    )
    assert invited.json()["role"] == "invited"
    assert await roles(user, group_id) == {user.name: "manager", other_user.name: "invited"}
    [listed] = (await other_user.http.get("/api/groups")).json()
    assert (listed["id"], listed["role"], listed["members"]) == (group_id, "invited", 1)
    accepted = (await other_user.http.post(f"/api/groups/{group_id}/membership")).json()
    assert (accepted["role"], accepted["members"]) == ("member", 2)


async def test_an_invitation_lets_nobody_use_anything_before_it_is_accepted(
    user: User, other_user: User
) -> None:
    group_id = await make_group(user)
    agent = await user.register_agent("helper", "helps")
    await share(user, group_id, "agent", agent["id"])
    await user.http.post(f"/api/groups/{group_id}/members", json={"username": other_user.name})
    for path in ("/api/shares", f"/api/groups/{group_id}/shares", "/api/agents?shared=true"):
        assert (await other_user.http.get(path)).json() == []
    mine = (await other_user.http.get("/api/llm/model/configs")).json()[0]["configs"][0]
    made = await other_user.http.post(
        f"/api/groups/{group_id}/shares", json={"kind": "config", "id": mine["id"]}
    )
    assert made.status_code == 400
    assert (await other_user.http.delete(f"/api/groups/{group_id}/membership")).status_code == 204
    assert await roles(user, group_id) == {user.name: "manager"}


async def test_a_member_manages_nothing_and_a_stranger_sees_no_group(
    user: User, other_user: User, third_user: User
) -> None:
    group_id = await make_group(user, other_user)
    at, members = f"/api/groups/{group_id}", f"/api/groups/{group_id}/members"
    for somebody, says in (
        (other_user, "Only a manager of the group may do this"),
        (third_user, f"Group with id '{group_id}' does not exist"),
    ):
        http = somebody.http
        for call in (
            http.patch(at, json={"name": "mine"}),
            http.delete(at),
            http.post(members, json={"username": third_user.name}),
            http.patch(f"{members}/{user.id}", json={"role": "member"}),
            http.delete(f"{members}/{user.id}"),
        ):
            assert await refusal(call) == says
    for path in (at, members):
        assert (await third_user.http.get(path)).status_code == 400
    assert await roles(user, group_id) == {user.name: "manager", other_user.name: "member"}


async def test_a_group_is_renamed_and_deleted_by_its_manager(user: User, other_user: User) -> None:
    group_id = await make_group(user, other_user)
    renamed = await user.http.patch(f"/api/groups/{group_id}", json={"name": " other "})
    assert renamed.json()["name"] == "other"
    assert (await user.http.delete(f"/api/groups/{group_id}")).status_code == 204
    assert (await other_user.http.get("/api/groups")).json() == []


async def test_the_last_manager_stays_one_until_he_leaves(user: User, other_user: User) -> None:
    group_id = await make_group(user, other_user)
    members = f"/api/groups/{group_id}/members"
    told = await refusal(user.http.patch(f"{members}/{user.id}", json={"role": "member"}))
    assert told == "This is the group's last manager: make another member one first"
    promoted = await user.http.patch(f"{members}/{other_user.id}", json={"role": "manager"})
    assert promoted.json()["role"] == "manager"
    assert (await user.http.patch(f"{members}/{user.id}", json={"role": "member"})).is_success
    assert (await other_user.http.delete(f"/api/groups/{group_id}/membership")).is_success
    assert await roles(user, group_id) == {user.name: "manager"}
    assert (await user.http.delete(f"/api/groups/{group_id}/membership")).is_success
    assert (await user.http.get("/api/groups")).json() == []


async def test_managers_who_leave_at_once_leave_a_manager(
    user: User, other_user: User, third_user: User
) -> None:
    group_id = await make_group(user, other_user, third_user)
    path = f"/api/groups/{group_id}/members/{other_user.id}"
    assert (await user.http.patch(path, json={"role": "manager"})).is_success
    leaving = [
        each.http.delete(f"/api/groups/{group_id}/membership") for each in (user, other_user)
    ]
    assert all(each.status_code == 204 for each in await asyncio.gather(*leaving))
    assert await roles(third_user, group_id) == {third_user.name: "manager"}


async def test_who_leaves_or_is_removed_takes_along_what_he_shares(
    user: User, other_user: User, third_user: User
) -> None:
    group_id = await make_group(user, other_user, third_user)
    for owner in (other_user, third_user):
        agent = await owner.register_agent("helper", "helps")
        await share(owner, group_id, "agent", agent["id"])
    assert (await other_user.http.delete(f"/api/groups/{group_id}/membership")).is_success
    [left] = (await user.http.get(f"/api/groups/{group_id}/shares")).json()
    assert left["owner"] == third_user.name
    removed = await user.http.delete(f"/api/groups/{group_id}/members/{third_user.id}")
    assert removed.status_code == 204
    assert (await user.http.get(f"/api/groups/{group_id}/shares")).json() == []


async def test_who_is_deleted_leaves_his_groups_with_a_manager(
    user: User, other_user: User, third_user: User, sql: Sql
) -> None:
    group_id = await make_group(other_user, user, third_user)
    sql("DELETE FROM users WHERE id = %s", other_user.id)
    assert sorted((await roles(user, group_id)).values()) == ["manager", "member"]


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ({"username": "nobody"}, "Nobody who can be invited has the name 'nobody'"),
        ({"username": ""}, "Nobody who can be invited has the name ''"),
    ],
)
async def test_nobody_is_invited_who_is_not_there(user: User, new: Json, says: str) -> None:
    group_id = await make_group(user)
    path = f"/api/groups/{group_id}/members"
    assert await refusal(user.http.post(path, json=new)) == says
    path = f"{path}/{uuid4()}"
    assert "has no member" in await refusal(user.http.delete(path))


async def test_only_ones_own_things_are_shared_and_each_once_with_a_group(
    user: User, other_user: User
) -> None:
    group_id = await make_group(user, other_user)
    agent = await user.register_agent("helper", "helps")
    share_id = await share(user, group_id, "agent", agent["id"])
    shares, new = f"/api/groups/{group_id}/shares", {"kind": "agent", "id": agent["id"]}
    told = await refusal(user.http.post(shares, json=new))
    assert told == f"The agent '{agent['id']}' is shared with this group already"
    another = await make_group(other_user)
    told = await refusal(other_user.http.post(f"/api/groups/{another}/shares", json=new))
    assert told == f"You have no agent with id '{agent['id']}'"
    assert "shared nothing" in await refusal(other_user.http.delete(f"{shares}/{share_id}"))
    [listed] = (await other_user.http.get("/api/shares")).json()
    assert listed == {
        **listed,
        "id": share_id,
        "kind": "agent",
        "target_id": agent["id"],
        "name": "helper",
        "owner": user.name,
        "group": "team",
    }
    assert (await user.http.get("/api/shares")).json() == []


async def test_invitations_that_nobody_answers_are_bounded(
    user: User, other_user: User, sql: Sql
) -> None:
    sql(
        """
        WITH made AS (
            INSERT INTO groups (id, name)
            SELECT gen_random_uuid(), 'spam' FROM generate_series(1, 100) RETURNING id
        )
        INSERT INTO group_members (group_id, user_id, role) SELECT id, %s, 'invited' FROM made
        """,
        other_user.id,
    )
    group_id = await make_group(user)
    told = await refusal(
        user.http.post(f"/api/groups/{group_id}/members", json={"username": other_user.name})
    )
    assert told.startswith("Nobody who can be invited")


async def test_an_invitation_that_comes_again_changes_nothing(user: User, other_user: User) -> None:
    group_id = await make_group(user)
    await join(user, other_user, group_id)
    again = await user.http.post(
        f"/api/groups/{group_id}/members", json={"username": other_user.name}
    )
    assert again.json()["role"] == "member"
