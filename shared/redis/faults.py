"""What an error of Redis means, for the logs."""

from redis.asyncio.sentinel import MasterNotFoundError
from redis.exceptions import (
    NoPermissionError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from shared.redis.finding import NO_LOGIN, MovedAwayError


def tell(error: Exception, what: str) -> str:
    """What has happened to Redis, what follows from it here, and the error's own words."""
    return f"{what_happened(error)}, {what}: {str(error) or 'no answer in time'}"


def what_happened(error: Exception) -> str:
    """The beginning of a sentence."""
    match error:
        case MasterNotFoundError():
            return "Redis has no master at the moment"
        case MovedAwayError() | ReadOnlyError():
            return "Redis has another master now, or is choosing one"
        case NoPermissionError():
            return "Redis lets us not do that"
        case RedisError() if isinstance(error, NO_LOGIN):
            return "Redis lets us not in"
        case ResponseError():
            return "Redis refuses"
    return "Redis is away"
