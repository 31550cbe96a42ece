"""What an API key looks like: `genai_`, 256 random bits and a checksum, in base62.

By the beginning and the checksum secret scanners know one with certainty, and one that was typed
wrong is refused without a query.
"""

import re
from hashlib import sha256
from secrets import randbits
from string import ascii_lowercase, ascii_uppercase, digits
from zlib import crc32

PREFIX = "genai_"
PATTERN = r"genai_[0-9A-Za-z]{49}"
"""The checksum is that of the 43 characters behind the prefix, and is the last 6."""

_DIGITS = digits + ascii_uppercase + ascii_lowercase
_BITS, _RANDOM, _CHECKSUM = 256, 43, 6  # and characters: 62 ** 43 > 2 ** 256, 62 ** 6 > 2 ** 32
_key = re.compile(PATTERN, re.ASCII)


def make_key() -> str:
    """A new one."""
    random = _in_base62(randbits(_BITS), _RANDOM)
    return f"{PREFIX}{random}{_checksum(random)}"


def is_whole(key: str) -> bool:
    """Whether it is one, as far as can be told without asking: nothing of it was typed wrong."""
    if not _key.fullmatch(key):
        return False
    random = key[len(PREFIX) : -_CHECKSUM]
    return _checksum(random) == key[-_CHECKSUM:]


def hash_of(key: str) -> bytes:
    """What is stored of one.

    A slow hash with a salt is for what people think of: 256 random bits are found by nobody who
    tries, however fast that is, and the hash alone has to find the row.
    """
    return sha256(key.encode(errors="surrogatepass")).digest()


def _checksum(random: str) -> str:
    return _in_base62(crc32(random.encode()), _CHECKSUM)


def _in_base62(number: int, width: int) -> str:
    text = ""
    for _ in range(width):
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return text
