"""What the original installation leaves behind: the mark of its migrations and its secrets."""

import re
from base64 import b64decode
from hashlib import scrypt

import attrs
from attrs import frozen
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import Connection

from shared.secrets import UndecryptableError
from shared.settings.installation import Settings
from shared.settings.migrating import MigratingSettings

REVISION = "8403bb364491"
"""The last of the original's own migrations: the tables of `0001-original-installation`."""

_base64 = "[A-Za-z0-9+/]"
_original_key = re.compile(rf"{_base64}*={{0,2}}(?:\*{_base64}+={{0,2}}){{3}}")


@frozen(kw_only=True)
class TakeoverSettings(Settings, MigratingSettings):
    """The settings of the services, and the original's secret where SECRET_KEY is a new one."""

    original_secret_key: str | None = attrs.field(default=None, repr=False, metadata={"read": str})

    @property
    def old_secret(self) -> str:
        """What the original encrypted provider keys with."""
        return self.original_secret_key or self.secret_key


def read_revision(connection: Connection) -> str | None:
    """The revision of the original's migrations, or None: it has not made this database."""
    found = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
    if found == (None,):
        return None
    rows = connection.execute("SELECT version_num FROM alembic_version ORDER BY 1").fetchall()
    return " and ".join(row[0] for row in rows) or "none"


def is_original_key(stored: str) -> bool:
    """Whether a stored text has the form in which the original encrypts."""
    return _original_key.fullmatch(stored) is not None


def decrypt_original_key(stored: str, secret: str) -> str:
    """The secret in a stored text of the original. Raises UndecryptableError.

    Ciphertext, salt, nonce and tag, each base64, `*` between them: AES-256-GCM under a key that
    scrypt derives, which takes some 50 ms of work without holding the interpreter.
    """
    try:
        sealed, salt, nonce, tag = (b64decode(part, validate=True) for part in stored.split("*"))
        key = scrypt(secret.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
        return AESGCM(key).decrypt(nonce, sealed + tag, None).decode()
    except (ValueError, InvalidTag):
        raise UndecryptableError("this secret does not decrypt it") from None
