"""What callers say that their servers are to be sent, whatever kind of server it is."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from msgspec import UNSET, UnsetType

from gateway.remote.credentials import Values, change, objection_to_headers
from gateway.web.errors import BadRequestError
from shared.domain.grants import is_authorization
from shared.secrets import UndecryptableError

logger = logging.getLogger(__name__)

UNDECRYPTABLE = "The headers that are stored can't be decrypted, please enter them again"


class SaysHeaders(Protocol):
    """A body with headers, all of which may be left out."""

    @property
    def headers(self) -> Mapping[str, str | None] | UnsetType:
        """What is to be sent; null where there is something else to be sent no more."""

    @property
    def bearer_token(self) -> str | UnsetType | None:
        """What becomes `Authorization`."""


def says_headers(body: SaysHeaders) -> bool:
    """Whether anything is to change."""
    return body.headers is not UNSET or body.bearer_token is not UNSET


def says_authorization(body: SaysHeaders) -> bool:
    """Whether `Authorization` is to be another one, or none."""
    names = () if isinstance(body.headers, UnsetType) else body.headers
    return body.bearer_token is not UNSET or any(map(is_authorization, names))


def change_headers(stored: Values, body: SaysHeaders) -> dict[str, str]:
    """The headers with what a body says of them. Raises BadRequestError."""
    headers = change(stored, body.headers, body.bearer_token)
    if fault := objection_to_headers(headers):
        raise BadRequestError(fault)
    return headers


@contextmanager
def readable() -> Iterator[None]:
    """Raises BadRequestError where what is stored can't be decrypted, which the log names."""
    try:
        yield
    except UndecryptableError as error:
        logger.warning("%s", error)
        raise BadRequestError(UNDECRYPTABLE) from None
