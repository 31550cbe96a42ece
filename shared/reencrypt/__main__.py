"""`python -m shared.reencrypt`: all stored secrets in the form of the newest of ENCRYPTION_KEYS.

Beside services that run; several at once are safe, and one that was killed goes on when it is
started again.
"""

import asyncio
import logging
import sys
from collections.abc import Iterator

from shared.postgres.pool import DatabaseAwayError, create_database
from shared.process.starting import StartError, require_postgres
from shared.reencrypt.rows import Outcome, reencrypt
from shared.secrets import Vault
from shared.settings.common import CommonSettings
from shared.settings.reading import SettingsError, load_settings

logger = logging.getLogger(__name__)


async def _run(settings: CommonSettings) -> Outcome:
    async with create_database(settings) as database:
        return await reencrypt(database, Vault(settings.encryption_keys), logger.info)


def _lines(outcome: Outcome) -> Iterator[str]:
    for what, count in outcome.renewed.items():
        if count:
            yield f"{count} {what} brought to their newest form"
    if not any(outcome.renewed.values()):
        yield "nothing to bring to its newest form"


def main() -> int:
    """Run the command and return its exit status: 1 where something was left."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        settings = load_settings(CommonSettings)
        require_postgres(settings)
        outcome = asyncio.run(_run(settings))
    except (DatabaseAwayError, SettingsError, StartError) as fault:
        print(f"Not all was brought to its newest form: {fault}", file=sys.stderr)
        return 1
    print("\n".join(_lines(outcome)))
    left = [*outcome.unreadable, *outcome.held]
    for reason in left:
        print(reason, file=sys.stderr)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
