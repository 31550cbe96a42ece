"""What a caller is told who asks what can't be asked, or of what is no more."""

from gateway.web.errors import ApiError


class UnknownError(ApiError):
    """The user has none of this id."""

    status = 404


class ConflictError(ApiError):
    """It can't be asked now, or what was asked was cancelled."""

    status = 409


class SilentError(ApiError):
    """The server of a tool, or an A2A agent, gives no answer; the detail says why."""

    status = 502


class GoneError(ApiError):
    """The chat of the request was deleted, or its answer is kept no longer."""

    status = 410
