"""Options at rest: encrypted for their place, and what earlier services stored is read as well."""

import json
import secrets
from uuid import UUID, uuid4

import pytest

from shared.domain.options import (
    CREDENTIALS,
    METADATA,
    OptionsColumn,
    open_options,
    open_text,
    seal_options,
)
from shared.secrets import UndecryptableError, Vault

VAULT = Vault([secrets.token_bytes(32)])
ROW = uuid4()
OPTIONS = {"api_key": "sk-ґ", "nested": {"number": 2**80}}


def test_they_are_not_in_what_is_stored_and_come_back() -> None:
    stored = seal_options(VAULT, METADATA, ROW, OPTIONS)
    assert "sk-" not in json.dumps(stored, ensure_ascii=False)
    assert open_options(VAULT, METADATA, ROW, stored) == OPTIONS


def test_none_are_stored_as_they_are() -> None:
    assert seal_options(VAULT, METADATA, ROW, {}) == {}


@pytest.mark.parametrize(
    ("stored", "options"),
    [(OPTIONS, OPTIONS), ({}, {}), (None, {}), ([1], {})],
    ids=["an object", "an empty one", "null", "a list"],
)
def test_what_is_in_clear_is_read(stored: object, options: object) -> None:
    assert open_options(VAULT, METADATA, ROW, stored) == options


@pytest.mark.parametrize("text", ['{"a": "b"}', ' \n{"a": "b"}'], ids=["tight", "after blanks"])
def test_as_text_what_is_in_clear_is_told_as_it_is(text: str) -> None:
    assert open_text(VAULT, METADATA, ROW, text) == text


def test_as_text_a_ciphertext_is_opened() -> None:
    stored = seal_options(VAULT, METADATA, ROW, OPTIONS)
    assert json.loads(open_text(VAULT, METADATA, ROW, str(stored))) == OPTIONS


@pytest.mark.parametrize(
    ("column", "row"),
    [(METADATA, uuid4()), (CREDENTIALS, ROW)],
    ids=["another row", "another column"],
)
def test_elsewhere_they_are_not_read(column: OptionsColumn, row: UUID) -> None:
    stored = seal_options(VAULT, METADATA, ROW, OPTIONS)
    with pytest.raises(UndecryptableError):
        open_options(VAULT, column, row, stored)


@pytest.mark.parametrize("text", ["", "null", "[]", "sk-123"])
def test_no_text_of_another_form_is_taken_for_options(text: str) -> None:
    with pytest.raises(UndecryptableError):
        open_text(VAULT, METADATA, ROW, text)
