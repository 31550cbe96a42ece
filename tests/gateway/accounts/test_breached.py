"""Passwords that are known from breaches."""

import pytest

from gateway.accounts.breached import FEWEST_CHARACTERS, SHORT, is_breached
from gateway.accounts.passwords import BreachedError, Passwords
from gateway.accounts.schemas import find_weakness
from tests.users import PASSWORD


@pytest.mark.parametrize("password", ["Password1!", "PASSWORD123!", "P@ssw0rd", "Welcome123!"])
def test_those_that_attackers_try_first_are_known(password: str) -> None:
    assert is_breached(password)


@pytest.mark.parametrize(
    "password", ["An0ther-one!", "Yk7#mmQ2", f"Aa1!{'x' * 1020}", "Žluť0učký!"]
)
def test_others_are_not(password: str) -> None:
    assert not is_breached(password)


def test_the_password_of_the_contracts_clients_is_taken() -> None:
    assert not is_breached(PASSWORD)


def test_short_ones_fit_the_rule_in_some_spelling_and_are_too_short_for_the_package() -> None:
    for password in SHORT:
        spelt = [password[:at] + password[at:].capitalize() for at in range(len(password))]
        spelt += [password[:at] + password[at:].upper() for at in range(len(password))]
        assert [each for each in spelt if find_weakness(each) is None], password
        assert len(password) < FEWEST_CHARACTERS


async def test_they_are_refused_unless_a_setting_allows_them() -> None:
    strict, lenient = Passwords(), Passwords(allows_breached=True)
    with pytest.raises(BreachedError):
        await strict.hash_new("Password1!")
    assert await lenient.verify("Password1!", await lenient.hash_new("Password1!"))
    strict.close()
    lenient.close()


async def test_they_are_known_in_whatever_form_they_are_typed() -> None:
    passwords = Passwords()
    with pytest.raises(BreachedError):
        await passwords.hash_new("Ｐassword1!")
    passwords.close()
