"""What administrators may do with users, and that nobody else may."""

import asyncio
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed

from tests.users import User


async def test_who_is_no_administrator_is_told_so(user: User, other_user: User) -> None:
    path = f"/api/users/{other_user.id}"
    for refused in (
        await user.http.get("/api/users"),
        await user.http.get(path),
        await user.http.patch(path, json={"role": "admin"}),
        await user.http.patch(f"/api/users/{user.id}", json={"role": "admin"}),
    ):
        assert refused.status_code == 403
        assert refused.json() == {"detail": "Only administrators may do this"}


async def test_users_are_found_by_what_their_names_have_in_them(
    administrator: User, user: User
) -> None:
    found = await administrator.http.get("/api/users", params={"search": user.name[8:].upper()})
    [told] = found.json()
    assert (told["id"], told["username"], told["role"]) == (user.id, user.name, "user")
    assert told.keys() == {"id", "username", "role", "locked_at", "created_at", "updated_at"}
    assert (await administrator.http.get(f"/api/users/{user.id}")).json() == told
    page = await administrator.http.get("/api/users", params={"search": "user-", "limit": "1"})
    assert len(page.json()) == 1
    assert 'rel="next"' in page.headers["Link"]
    unknown = await administrator.http.get(f"/api/users/{uuid4()}")
    assert unknown.status_code == 400


async def test_a_role_counts_from_the_next_call_on(administrator: User, user: User) -> None:
    path = f"/api/users/{user.id}"
    made = await administrator.http.patch(path, json={"role": "admin"})
    assert made.json()["role"] == "admin"
    assert (await user.http.get("/api/users", params={"limit": 1})).status_code == 200
    await administrator.http.patch(path, json={"role": "user"})
    assert (await user.http.get("/api/users", params={"limit": 1})).status_code == 403


async def test_who_is_locked_out_is_out_within_a_second_and_can_be_let_in_again(
    administrator: User, user: User
) -> None:
    path = f"/api/users/{user.id}"
    async with user.chat() as chat:
        locked = await administrator.http.patch(path, json={"locked": True})
        assert locked.json()["locked_at"] is not None
        async with asyncio.timeout(1):
            with pytest.raises(ConnectionClosed):
                await chat.receive()
    assert (await user.http.get("/api/chats")).status_code == 401
    let_in = await administrator.http.patch(path, json={"locked": False})
    assert (let_in.json()["locked_at"], let_in.json()["role"]) == (None, "user")
    assert (await user.http.get("/api/chats")).status_code == 401


async def test_nobody_locks_himself_out_and_the_last_administrator_stays_one(
    administrator: User, user: User
) -> None:
    path = f"/api/users/{administrator.id}"
    refused = await administrator.http.patch(path, json={"locked": True})
    assert refused.json() == {"detail": "You can't lock yourself out"}
    refused = await administrator.http.patch(path, json={"role": "user"})
    assert refused.status_code == 400
    assert refused.json()["detail"].startswith("This is the last administrator")
    await administrator.http.patch(f"/api/users/{user.id}", json={"role": "admin"})
    stepped_down = await administrator.http.patch(path, json={"role": "user"})
    assert stepped_down.json()["role"] == "user"
    assert (await administrator.http.get("/api/users")).status_code == 403


async def test_of_two_who_step_down_at_once_one_stays(administrator: User, user: User) -> None:
    await administrator.http.patch(f"/api/users/{user.id}", json={"role": "admin"})
    answers = await asyncio.gather(
        *(
            one.http.patch(f"/api/users/{one.id}", json={"role": "user"})
            for one in (administrator, user)
        )
    )
    assert sorted(each.status_code for each in answers) == [200, 400]
