"""Users deleted by the command, beside the gateways and without them."""

from tests.gateway.admin.commands import Admin
from tests.gateway.belongings import insert_person
from tests.gateway.leaving.test_deletion import left_of
from tests.sql import Sql
from tests.system import System


async def test_a_user_is_deleted_with_all_and_told_in_numbers(
    admin: Admin, system: System, sql: Sql
) -> None:
    owner = insert_person(sql, system)
    unsure = await admin.soon("users", "delete", owner.marker, stdin="y\n")
    assert unsure.code == 2
    ended = await admin.soon("users", "delete", owner.marker, "--yes", "--json")
    assert (ended.code, ended.json["user_id"]) == (0, owner.user_id), ended.err
    assert ended.json["counts"]["agents"] == 1
    assert ended.json["ended_at"] is not None
    assert left_of(sql, owner.user_id) == {}
    gone = await admin.soon("users", "delete", owner.marker, "--yes")
    assert gone.code == 3
