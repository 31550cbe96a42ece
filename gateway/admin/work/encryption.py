"""Which keys stored secrets were encrypted with, and bringing all to the newest."""

from collections.abc import Callable

from attrs import field, frozen

from gateway.admin.work.installation import Installation
from shared.reencrypt.queries import KINDS, count_left, select_has_begun
from shared.reencrypt.rows import ALL, reencrypt
from shared.secrets import Vault


@frozen(slots=False)
class EncryptionStatus:
    """How many secrets are not in their newest form, by kind, and whether that has begun.

    `newest_key` is what ciphertexts of the first of ENCRYPTION_KEYS begin with.
    """

    newest_key: str
    keys: int
    has_begun: bool
    left: int
    left_by_kind: dict[str, int]


@frozen(slots=False)
class Reencrypted:
    """What was brought to its newest form, and why the rest was not."""

    renewed: dict[str, int]
    left: list[str] = field(factory=list)


async def read_status(on: Installation) -> EncryptionStatus:
    """Count them."""
    keys = on.settings.encryption_keys
    vault = Vault(keys)
    async with on.connection() as connection:
        has_begun = await select_has_begun(connection)
        left = {kind.what: await count_left(connection, kind, vault.newest, ALL) for kind in KINDS}
    newest = vault.newest.removesuffix(".")
    return EncryptionStatus(newest, len(keys), has_begun, sum(left.values()), left)


async def reencrypt_all(on: Installation, tell: Callable[[str], None]) -> Reencrypted:
    """Bring them to it."""
    outcome = await reencrypt(on.database, Vault(on.settings.encryption_keys), tell)
    return Reencrypted(outcome.renewed, [*outcome.unreadable, *outcome.held])
