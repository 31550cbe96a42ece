"""How many groups, members and shares there may be; a bound of 0 is none."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from tests.gateway.groups.sharing import join, make_group, share, unshare
from tests.gateway.shapes import refused
from tests.sql import Sql, run_sql
from tests.system import Stores, System
from tests.users import User, insert_user

MOST = 2
BOUNDS = ("GROUPS_PER_USER", "MEMBERS_PER_GROUP", "SHARES_PER_GROUP")
GROUP = {"name": "one more"}


@pytest.fixture(scope="module")
def own_system(stores: Stores) -> Iterator[System]:
    """Two gateways of one installation: one with bounds, the other with none."""
    with stores.system() as system:
        system.start_gateway(**dict.fromkeys(BOUNDS, str(MOST)))
        system.start_gateway(**dict.fromkeys(BOUNDS, "0"))
        yield system


@pytest.fixture(scope="module")
def own_sql(own_system: System) -> Iterator[Sql]:
    with run_sql(own_system.settings) as sql:
        yield sql


@pytest.fixture
async def people(own_system: System, own_sql: Sql) -> AsyncIterator[list[User]]:
    async with AsyncExitStack() as stack:
        inserted = (insert_user(own_system, own_sql) for _ in range(MOST + 1))
        yield [await stack.enter_async_context(each) for each in inserted]


def without_bounds(system: System, user: User) -> User:
    """The same user at the other gateway."""
    user.http.base_url = system.gateways[1]
    return user


async def test_groups_of_a_user_are_bounded_whether_he_makes_or_joins_them(
    own_system: System, people: list[User]
) -> None:
    user, other, _ = people
    first = await make_group(user)
    await make_group(user)
    assert str(MOST) in refused(await user.http.post("/api/groups", json=GROUP))
    theirs = await make_group(other)
    invited = {"username": user.name}
    await other.http.post(f"/api/groups/{theirs}/members", json=invited)
    membership = f"/api/groups/{theirs}/membership"
    assert str(MOST) in refused(await user.http.post(membership))
    assert (await user.http.delete(f"/api/groups/{first}")).status_code == 204
    assert (await user.http.post(membership)).status_code == 200
    unbounded = without_bounds(own_system, user)
    for _ in range(MOST):
        await make_group(unbounded)


async def test_members_of_a_group_are_bounded_and_invitations_count(
    own_system: System, people: list[User]
) -> None:
    user, second, third = people
    group_id = await make_group(user)
    members = f"/api/groups/{group_id}/members"
    assert (await user.http.post(members, json={"username": second.name})).status_code == 200
    one_more = {"username": third.name}
    said = "A group may have 2 members, those invited included"
    assert refused(await user.http.post(members, json=one_more)) == said
    assert (await user.http.delete(f"{members}/{second.id}")).status_code == 204
    await join(user, third, group_id)
    await join(without_bounds(own_system, user), second, group_id)
    assert len((await user.http.get(members)).json()) == MOST + 1


async def test_shares_with_a_group_are_bounded_whoever_shares(
    own_system: System, people: list[User]
) -> None:
    user, other, _ = people
    group_id = await make_group(user, other)
    agents = [(await owner.register_agent())["id"] for owner in (user, user, other)]
    first, _ = [await share(user, group_id, "agent", each) for each in agents[:MOST]]
    one_more = {"kind": "agent", "id": agents[MOST]}
    shares = f"/api/groups/{group_id}/shares"
    said = "At most 2 things can be shared with a group"
    assert refused(await other.http.post(shares, json=one_more)) == said
    await unshare(user, group_id, first)
    assert (await other.http.post(shares, json=one_more)).status_code == 200
    await share(without_bounds(own_system, user), group_id, "agent", agents[0])
