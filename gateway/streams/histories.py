"""What clients send that keep their chats themselves: all that was said before, each time."""

from collections.abc import Sequence
from itertools import accumulate, takewhile

from gateway.streams.questions import Past

BODY_LIMIT = 4 * 1024 * 1024  # bytes of a request with its history
MESSAGES_LIMIT = 2000  # in it
PAST_LIMIT = 100  # newest messages that are stored of it; a model config asks for 20 at most
PAST_BYTES_LIMIT = 1024 * 1024  # of these


def newest(past: Sequence[Past]) -> list[Past]:
    """The end of a history that is stored: as many whole messages as both bounds let in."""
    last = [each for each in past if each.text][-PAST_LIMIT:][::-1]
    sizes = accumulate(len(each.text.encode()) for each in last)
    kept = zip(last, takewhile(lambda size: size <= PAST_BYTES_LIMIT, sizes), strict=False)
    return [each for each, _ in kept][::-1]
