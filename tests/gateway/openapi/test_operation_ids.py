"""What operations are called stays: clients that were made of the description have functions so."""

import re
from collections import Counter

from tests.gateway.openapi.operation_ids import add_new, find_ids, read_ids


def test_no_id_has_changed_and_each_operation_has_one_that_is_kept() -> None:
    assert find_ids() == read_ids()


def test_no_two_operations_have_one_id() -> None:
    assert [id_ for id_, times in Counter(find_ids().values()).items() if times > 1] == []


def test_an_id_can_be_the_name_of_a_function() -> None:
    assert [id_ for id_ in find_ids().values() if not re.fullmatch("[a-z][a-z0-9_]*", id_)] == []


def test_what_is_new_is_added_and_what_is_kept_stays() -> None:
    kept = {"GET /b": "read_b", "GET /gone": "read_gone"}
    added = add_new(kept, {"GET /b": "read_other", "POST /a": "create_a"})
    assert added == {**kept, "POST /a": "create_a"}
    assert list(added) == ["POST /a", "GET /b", "GET /gone"]
