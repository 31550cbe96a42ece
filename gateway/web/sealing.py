"""In which form secrets are stored: services of an earlier version may read them too."""

from databases.core import Connection

from shared.reencrypt.queries import select_has_begun


class Sealing:
    """Whether options are stored encrypted, and tokens without signatures."""

    def __init__(self) -> None:
        self._has_begun = False

    async def has_begun(self, connection: Connection) -> bool:
        """Whether no earlier service is there any more; once it is so, it stays so."""
        if not self._has_begun:
            self._has_begun = await select_has_begun(connection)
        return self._has_begun
