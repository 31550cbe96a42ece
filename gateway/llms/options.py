"""What clients are shown of stored options."""

import logging
from collections.abc import Callable
from uuid import UUID

from gateway.openapi.schemas import Json
from shared.domain.options import OptionsColumn, open_options, open_text
from shared.secrets import UndecryptableError, Vault

logger = logging.getLogger(__name__)


def shown_options(vault: Vault, column: OptionsColumn, row: UUID, stored: object) -> Json:
    """The options; none where they can't be decrypted, so that they can be entered again."""
    return _or_none(lambda: open_options(vault, column, row, stored), {})


def shown_text(vault: Vault, column: OptionsColumn, row: UUID, stored: str) -> str:
    """The same as JSON text, of such a text or of a ciphertext."""
    return _or_none(lambda: open_text(vault, column, row, stored), "{}")


def _or_none[T](opened: Callable[[], T], none: T) -> T:
    try:
        return opened()
    except UndecryptableError as error:
        logger.warning("%s, and is shown as empty", error)
        return none
