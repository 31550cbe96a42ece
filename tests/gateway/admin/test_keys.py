"""API keys by the command."""

from tests.gateway.admin.commands import Admin
from tests.gateway.shapes import good
from tests.users import User, connect_to, eventually

NOBODYS = "4f1f8f0a-6d0e-4d3c-9a51-7f2f6f3a0b1d"


async def test_a_key_is_listed_by_its_beginning_and_revoked(admin: Admin, user: User) -> None:
    made = good(await user.http.post("/api/keys", json={"name": "ci", "scopes": ["read"]}))
    listed = await admin.soon("keys", "list", "--user", user.name, "--json")
    [key] = listed.lines
    assert (key["id"], key["username"], key["scopes"]) == (made["id"], user.name, ["read"])
    assert made["key"].startswith(key["start"])
    assert made["key"] not in listed.out
    async with connect_to(
        str(user.http.base_url), Authorization=f"Bearer {made['key']}"
    ) as program:
        assert (await program.get("/api/chats")).status_code == 200
        revoke = ("keys", "revoke", made["id"], "--yes", "--json")
        unknown = await admin.soon(*revoke, NOBODYS)
        assert (unknown.code, unknown.err) == (3, f"There is no API key {NOBODYS}.\n")
        assert (await admin.soon(*revoke)).json == {"revoked": 1}

        async def holds() -> bool:
            return (await program.get("/api/chats")).status_code == 401

        await eventually(holds, "the key opens nothing any more")
    assert (await admin.soon("keys", "list", "--user", user.name, "--json")).lines == []
