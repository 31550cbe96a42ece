"""What an error of Redis is called in the logs."""

import pytest
from redis.asyncio.sentinel import MasterNotFoundError
from redis.exceptions import (
    AuthenticationError,
    NoPermissionError,
    ReadOnlyError,
    ResponseError,
)
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)

from shared.redis.faults import tell
from shared.redis.finding import MovedAwayError


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RedisConnectionError("refused"), "Redis is away, it is late: refused"),
        (TimeoutError(), "Redis is away, it is late: no answer in time"),
        (MasterNotFoundError("none"), "Redis has no master at the moment, it is late: none"),
        (
            MovedAwayError("moved"),
            "Redis has another master now, or is choosing one, it is late: moved",
        ),
        (
            ReadOnlyError("replica"),
            "Redis has another master now, or is choosing one, it is late: replica",
        ),
        (AuthenticationError("wrong"), "Redis lets us not in, it is late: wrong"),
        (NoPermissionError("no"), "Redis lets us not do that, it is late: no"),
        (ResponseError("full"), "Redis refuses, it is late: full"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else "",
)
def test_what_happened_is_told_as_it_is(error: Exception, told: str) -> None:
    assert tell(error, "it is late") == told
