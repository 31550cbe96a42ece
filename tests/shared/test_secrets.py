"""Secrets at rest are bound to their place; secrets in texts are hidden."""

import json
from base64 import b64decode, b64encode
from uuid import UUID, uuid4

import pytest

from shared.secrets import REDACTED, UndecryptableError, Vault, forms_of, hide

OLD, NEW = b"o" * 32, b"n" * 32
ROW = uuid4()
PLACE = ("modelproviders", ROW, "api_key")


def test_a_secret_comes_back_at_its_place() -> None:
    vault = Vault([OLD])
    assert vault.decrypt(vault.encrypt("sk-é", *PLACE), *PLACE) == "sk-é"


def test_the_same_secret_is_never_stored_the_same_way() -> None:
    vault = Vault([OLD])
    assert vault.encrypt("sk", *PLACE) != vault.encrypt("sk", *PLACE)


def test_a_secret_is_not_in_its_ciphertext() -> None:
    assert "sk-plain" not in Vault([OLD]).encrypt("sk-plain", *PLACE)


@pytest.mark.parametrize(
    "place",
    [
        ("modelproviders", uuid4(), "api_key"),
        ("modelproviders", ROW, "other"),
        ("other", ROW, "api_key"),
    ],
    ids=["row", "column", "table"],
)
def test_a_moved_ciphertext_is_refused(place: tuple[str, UUID, str]) -> None:
    vault = Vault([OLD])
    stored = vault.encrypt("sk", *PLACE)
    with pytest.raises(UndecryptableError):
        vault.decrypt(stored, *place)


def test_a_ciphertext_changed_anywhere_is_refused() -> None:
    vault = Vault([OLD])
    key_id, _, text = vault.encrypt("sk", *PLACE).partition(".")
    sealed = b64decode(text)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(UndecryptableError):
            vault.decrypt(f"{key_id}.{b64encode(changed).decode()}", *PLACE)


@pytest.mark.parametrize(
    "stored",
    [
        "",
        ".",
        "abc",
        "00000000.AAAA",
        "t2h4NJ0Vhg==*hkRzjabrIMRFQ9Tnjj1qUQ==*NtIV07==*1rqS==",
        "é.é",
    ],
)
def test_what_is_no_ciphertext_of_ours_is_refused(stored: str) -> None:
    with pytest.raises(UndecryptableError):
        Vault([OLD]).decrypt(stored, *PLACE)


@pytest.mark.parametrize("text", ["", "AAAA", "!!!", "é", "A"])
def test_a_known_key_does_not_excuse_a_bad_text(text: str) -> None:
    vault = Vault([OLD])
    key_id = vault.encrypt("sk", *PLACE).partition(".")[0]
    with pytest.raises(UndecryptableError):
        vault.decrypt(f"{key_id}.{text}", *PLACE)


def test_an_older_key_still_decrypts_behind_a_newer_one() -> None:
    stored = Vault([OLD]).encrypt("sk", *PLACE)
    assert Vault([NEW, OLD]).decrypt(stored, *PLACE) == "sk"


def test_the_key_in_front_encrypts() -> None:
    stored = Vault([NEW, OLD]).encrypt("sk", *PLACE)
    assert Vault([NEW]).decrypt(stored, *PLACE) == "sk"


def test_a_key_that_is_gone_is_told() -> None:
    stored = Vault([OLD]).encrypt("sk", *PLACE)
    with pytest.raises(UndecryptableError, match=str(ROW)):
        Vault([NEW]).decrypt(stored, *PLACE)


def test_a_ciphertext_under_another_key_id_is_refused() -> None:
    key_id = Vault([NEW]).encrypt("sk", *PLACE).partition(".")[0]
    text = Vault([OLD]).encrypt("sk", *PLACE).partition(".")[2]
    with pytest.raises(UndecryptableError):
        Vault([NEW, OLD]).decrypt(f"{key_id}.{text}", *PLACE)


SECRETS = ["sk-plain", 'quo"te\\back', "žluťoučký-kůň", "tab\there", "<a&b>'c", "slash/es"]


def _redact(text: str, secrets: list[str]) -> str:
    return hide(text, forms_of(secrets))


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("times", [0, 1, 2], ids=["plain", "in JSON", "in JSON in JSON"])
@pytest.mark.parametrize("ascii_only", [True, False], ids=["ASCII", "UTF-8"])
def test_a_secret_is_hidden_wherever_it_stands(
    secret: str, times: int, *, ascii_only: bool
) -> None:
    text, hidden = f"the key {secret} is", f"the key {REDACTED} is"
    for _ in range(times):
        text = json.dumps({"log": text}, ensure_ascii=ascii_only)
        hidden = json.dumps({"log": hidden}, ensure_ascii=ascii_only)
    assert _redact(text, [secret]) == hidden


def test_a_secret_that_contains_another_is_hidden_whole() -> None:
    assert _redact("x sk-1234-long x", ["sk-1234", "sk-1234-long"]) == f"x {REDACTED} x"


def test_each_of_several_secrets_is_hidden() -> None:
    assert _redact("aaaa bbbb aaaa", ["aaaa", "bbbb"]) == " ".join([REDACTED] * 3)


@pytest.mark.parametrize("secret", ["", "a", "abc"])
def test_what_is_too_short_for_a_secret_is_left(secret: str) -> None:
    assert _redact("abc abcabc", [secret]) == "abc abcabc"


def test_a_text_without_secrets_is_left() -> None:
    assert (
        _redact("nothing (here) [at] all.*", ["sk-plain", "(.*)x"]) == "nothing (here) [at] all.*"
    )
