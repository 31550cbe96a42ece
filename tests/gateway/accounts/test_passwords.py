"""Argon2id at OWASP's parameters, and bcrypt as it was; off the event loop, bounded."""

import asyncio
import threading
from collections.abc import Iterator

import bcrypt
import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from gateway.accounts.passwords import (
    BCRYPT_DECOY,
    NORMALISED_LIMIT,
    TOGETHER,
    WAITING_ROOM,
    BusyError,
    Passwords,
    Verdict,
)

PHC = "$argon2id$v=19$m=19456,t=2,p=1$"


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    passwords = Passwords()
    yield passwords
    passwords.close()


async def test_a_hash_is_argon2id_with_the_parameters_of_owasp(passwords: Passwords) -> None:
    assert (await passwords.hash("secret")).startswith(PHC)


async def test_the_same_password_has_another_hash_each_time(passwords: Passwords) -> None:
    assert await passwords.hash("secret") != await passwords.hash("secret")


@pytest.mark.parametrize("password", ["secret", "", "é" * 500, "a" * 5000])
async def test_the_right_password_is_verified(passwords: Passwords, password: str) -> None:
    assert await passwords.verify(password, await passwords.hash(password))


@pytest.mark.parametrize(
    ("right", "wrong"), [("secret", "Secret"), ("secret", ""), ("a" * 72 + "b", "a" * 72 + "c")]
)
async def test_another_password_is_not(passwords: Passwords, right: str, wrong: str) -> None:
    assert not await passwords.verify(wrong, await passwords.hash(right))


@pytest.mark.parametrize(
    "stored",
    [
        *("plain", "$argon2id$", PHC, PHC + "é$x", f"{PHC}AAAA$BBBB"),
        *("$2b$12$" + "a" * 53, "$2b$04$" + "." * 53, "$2b$", "$2y$04$é", "$2b$99$" + "." * 53),
    ],
)
async def test_a_stored_text_that_is_no_hash_matches_nothing(
    passwords: Passwords, stored: str
) -> None:
    assert not await passwords.verify("plain", stored)


async def test_a_hash_with_other_parameters_is_verified(passwords: Passwords) -> None:
    kdf = Argon2id(salt=b"s" * 16, length=32, iterations=3, lanes=1, memory_cost=64)
    assert await passwords.verify("secret", kdf.derive_phc_encoded(b"secret"))


COMPOSED, DECOMPOSED = "Pässw0rd!", "Pa\u0308ssw0rd!"


@pytest.mark.parametrize("hashed", [COMPOSED, DECOMPOSED], ids=ascii)
@pytest.mark.parametrize("typed", [COMPOSED, DECOMPOSED, "P\uff41\u0308ssw0rd!"], ids=ascii)
async def test_a_password_is_the_same_in_every_normal_form(
    passwords: Passwords, hashed: str, typed: str
) -> None:
    assert await passwords.verify(typed, await passwords.hash(hashed)) is Verdict.RIGHT


async def test_a_hash_of_what_was_typed_is_verified_and_outdated(passwords: Passwords) -> None:
    kdf = Argon2id(salt=b"s" * 16, length=32, iterations=2, lanes=1, memory_cost=64)
    stored = kdf.derive_phc_encoded(DECOMPOSED.encode())
    assert await passwords.verify(DECOMPOSED, stored) is Verdict.OUTDATED
    assert await passwords.verify(COMPOSED, stored) is Verdict.WRONG


@pytest.mark.parametrize("typed", [COMPOSED, DECOMPOSED], ids=ascii)
async def test_a_hash_of_the_original_is_of_what_was_typed(
    passwords: Passwords, typed: str
) -> None:
    assert await passwords.verify(typed, bcrypt_hash(typed)) is Verdict.OUTDATED


async def test_a_very_long_password_is_as_it_is_typed(passwords: Passwords) -> None:
    marks = "a" + "\u0301\u0316" * NORMALISED_LIMIT * 100
    assert await passwords.verify(marks, await passwords.hash(marks)) is Verdict.RIGHT


def bcrypt_hash(password: str, kind: str = "$2b$") -> str:
    """A hash as the original stores it, at a cost that tests can afford."""
    return kind + bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()[4:]


@pytest.mark.parametrize("kind", ["$2a$", "$2b$", "$2y$"])
async def test_a_hash_of_the_original_is_verified(passwords: Passwords, kind: str) -> None:
    assert await passwords.verify("sécret", bcrypt_hash("sécret", kind))
    assert not await passwords.verify("secret", bcrypt_hash("sécret", kind))


async def test_a_hash_of_the_original_looks_at_72_bytes(passwords: Passwords) -> None:
    stored = bcrypt_hash("x" + "é" * 100)
    assert await passwords.verify("x" + "é" * 100, stored)
    assert await passwords.verify("x" + "é" * 36, stored)
    assert not await passwords.verify("x" + "é" * 35, stored)


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stored texts that were really verified, in order; the decoys by their beginning."""
    seen: list[str] = []

    def matches(_password: str, stored: str) -> bool:
        seen.append(stored)
        return stored == "$2b$right"

    monkeypatch.setattr("gateway.accounts.passwords._matches", matches)
    return seen


@pytest.mark.parametrize("stored", [None, PHC, "$2b$wrong"])
async def test_a_failure_takes_one_of_each_kind_while_both_are_there(
    passwords: Passwords, verified: list[str], stored: str | None
) -> None:
    assert not await passwords.verify("secret", stored, some_have_bcrypt=True)
    assert sorted(text[:4] for text in verified) == ["$2b$", "$arg"]


async def test_a_failure_with_a_text_that_is_no_hash_takes_its_time_too(
    passwords: Passwords, verified: list[str]
) -> None:
    assert not await passwords.verify("secret", "plain")
    assert [text[:4] for text in verified] == ["plai", "$arg"]


@pytest.mark.parametrize("stored", [None, PHC])
async def test_a_failure_takes_one_argon2_while_nobody_has_bcrypt(
    passwords: Passwords, verified: list[str], stored: str | None
) -> None:
    assert not await passwords.verify("secret", stored)
    [text] = verified
    assert text.startswith(PHC)


async def test_a_success_takes_no_more_than_its_own_verification(
    passwords: Passwords, verified: list[str]
) -> None:
    assert await passwords.verify("secret", "$2b$right", some_have_bcrypt=True)
    assert verified == ["$2b$right"]


def test_the_decoy_is_a_hash_that_takes_its_time() -> None:
    assert BCRYPT_DECOY.startswith("$2b$12$")
    assert not bcrypt.checkpw(b"secret", BCRYPT_DECOY.encode())


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Hashing waits until this is set."""
    opened = threading.Event()

    def wait(_password: str) -> str:
        opened.wait(10)
        return PHC

    monkeypatch.setattr("gateway.accounts.passwords._hash", wait)
    yield opened
    opened.set()


async def test_more_than_the_waiting_room_holds_is_refused_at_once(
    passwords: Passwords, gate: threading.Event
) -> None:
    waiting = [asyncio.create_task(passwords.hash("x")) for _ in range(WAITING_ROOM)]
    await asyncio.sleep(0)
    with pytest.raises(BusyError):
        await passwords.hash("x")
    gate.set()
    await asyncio.gather(*waiting)


async def test_there_is_room_again_when_the_work_is_done(
    passwords: Passwords, gate: threading.Event
) -> None:
    waiting = [asyncio.create_task(passwords.hash("x")) for _ in range(WAITING_ROOM)]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*waiting)
    assert await passwords.hash("x") == PHC


async def test_the_loop_goes_on_while_a_password_is_hashed(
    passwords: Passwords, gate: threading.Event
) -> None:
    waiting = asyncio.create_task(passwords.hash("x"))
    await asyncio.sleep(0)
    assert not waiting.done()
    gate.set()
    await waiting


async def test_who_is_checked_goes_on_with_others_who_are(passwords: Passwords) -> None:
    stored, done = await passwords.hash("secret"), list[int]()

    async def check(number: int) -> None:
        await passwords.verify("secret", stored)
        done.append(number)

    checks = [asyncio.create_task(check(number)) for number in range(TOGETHER + 2)]
    await asyncio.wait(checks, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.sleep(0)
    assert len(done) == TOGETHER
    await asyncio.gather(*checks)
    assert len(done) == TOGETHER + 2


async def test_who_is_checked_does_not_wait_for_who_has_given_up(passwords: Passwords) -> None:
    stored = await passwords.hash("secret")
    checks = [asyncio.create_task(passwords.verify("secret", stored)) for _ in range(6)]
    await asyncio.sleep(0)
    for each in checks[1:]:
        each.cancel()
    assert await checks[0] is Verdict.RIGHT


async def test_who_is_checked_does_not_wait_for_a_crowd_that_registers(
    passwords: Passwords,
) -> None:
    stored = await passwords.hash("secret")
    check = asyncio.create_task(passwords.verify("secret", stored))
    crowd = [asyncio.create_task(passwords.hash("secret")) for _ in range(3 * TOGETHER)]
    await check
    assert not all(each.done() for each in crowd)
    await asyncio.gather(*crowd)
