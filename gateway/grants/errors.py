"""What goes wrong with authorization servers, as clauses about the server that names them."""

from collections.abc import Iterator
from contextlib import contextmanager

from mcp.client.auth import OAuthFlowError, OAuthRegistrationError, OAuthTokenError

from gateway.remote.errors import UnreachableError


@contextmanager
def explained() -> Iterator[None]:
    """Raises UnreachableError for what the SDK raises, whose texts may repeat whole answers."""
    try:
        yield
    except OAuthRegistrationError as error:
        said = "" if error.__cause__ else str(error)  # it repeats a registration that is no good
        raise UnreachableError("its authorization server registers no client", said) from None
    except OAuthTokenError as error:
        raise UnreachableError("its authorization server gives no token", str(error)) from None
    except OAuthFlowError as error:
        reason = "its authorization server is not the one that it should be"
        raise UnreachableError(reason, str(error)) from None
