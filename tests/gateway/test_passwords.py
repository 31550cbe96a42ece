"""Argon2id at OWASP's parameters, off the event loop, a bounded number at a time."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

import gateway.passwords
from gateway.passwords import WAITING_ROOM, BusyError, Passwords

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
    "stored", ["plain", "$argon2id$", "$2b$12$" + "a" * 53, PHC, PHC + "é$x", f"{PHC}AAAA$BBBB"]
)
async def test_a_stored_text_that_is_no_hash_matches_nothing(
    passwords: Passwords, stored: str
) -> None:
    assert not await passwords.verify("plain", stored)


async def test_a_hash_with_other_parameters_is_verified(passwords: Passwords) -> None:
    kdf = Argon2id(salt=b"s" * 16, length=32, iterations=3, lanes=1, memory_cost=64)
    assert await passwords.verify("secret", kdf.derive_phc_encoded(b"secret"))


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stored texts that were really verified."""
    seen: list[str] = []
    original = gateway.passwords._verify

    def verify(password: str, stored: str) -> bool:
        seen.append(stored)
        return original(password, stored)

    monkeypatch.setattr("gateway.passwords._verify", verify)
    return seen


async def test_an_unknown_user_takes_a_verification_with_the_same_parameters(
    passwords: Passwords, verified: list[str]
) -> None:
    assert not await passwords.verify("secret", None)
    [stored] = verified
    assert stored.startswith(PHC)


async def test_a_known_user_takes_one_verification_too(
    passwords: Passwords, verified: list[str]
) -> None:
    stored = await passwords.hash("secret")
    await passwords.verify("wrong", stored)
    assert verified == [stored]


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Hashing waits until this is set."""
    opened = threading.Event()

    def wait(_password: str) -> str:
        opened.wait(10)
        return PHC

    monkeypatch.setattr("gateway.passwords._hash", wait)
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
