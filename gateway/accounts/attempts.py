"""Counts attempts over a window of time: in Redis for all gateways, here while Redis is away."""

import asyncio
import logging
from collections import OrderedDict
from hashlib import blake2b
from math import ceil
from time import monotonic
from typing import Any

from attrs import define, frozen
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from shared.process.batching import Batcher
from shared.redis.faults import tell
from shared.redis.servers import ScriptCall, create_redis
from shared.settings.gateway import GatewaySettings

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 300
REMEMBERED_SECONDS = 30 * 24 * 3600
REDIS_SECONDS = 1.0  # nobody waits longer for an answer of Redis; a busy one takes a while
AWAY_SECONDS = 5.0  # in which Redis is not asked again
NO_MARK = "genai:attempts:none"  # a mark that nobody gets, of a name that we may read
MOST_COUNTERS = 100_000  # that are kept here
TOGETHER = 100  # questions in one trip

FORGIVE, CHECK, TAKE = range(3)  # what the script is to do, by its first argument

# FORGIVE: the last key is a mark, to be kept for so many seconds. A counter that has run out
# meanwhile must not come back without an end.
#
# CHECK, TAKE: keys are pairs: a counter, and a mark that exempts from its bound; so are the
# arguments after the first: the bound, and its window. Refused attempts are not counted: whoever
# goes on trying is locked out no longer for it. The window begins with the first attempt. Returns
# milliseconds to wait, 0 when there is room, and the counters that it counts in.
SCRIPT = """
    if ARGV[1] == '0' then
        redis.call('SET', KEYS[#KEYS], 1, 'EX', ARGV[2])
        for i = 1, #KEYS - 1 do
            if tonumber(redis.call('GET', KEYS[i]) or 0) > 0 then redis.call('DECR', KEYS[i]) end
        end
        return {0, {}}
    end
    local wait, counters, windows = 0, {}, {}
    for i = 1, #KEYS, 2 do
        if redis.call('EXISTS', KEYS[i + 1]) == 0 then
            table.insert(counters, KEYS[i])
            table.insert(windows, ARGV[i + 2])
            if tonumber(redis.call('GET', KEYS[i]) or 0) >= tonumber(ARGV[i + 1]) then
                wait = math.max(wait, redis.call('PTTL', KEYS[i]), 1)
            end
        end
    end
    if wait == 0 and ARGV[1] == '2' then
        for i, key in ipairs(counters) do
            if redis.call('INCR', key) == 1 then redis.call('PEXPIRE', key, windows[i]) end
        end
    end
    return {wait, counters}
"""


class TooManyAttemptsError(Exception):
    """A bound is reached; there is room again in `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many attempts, room again in {seconds} s")
        self.seconds = seconds


@frozen
class Bound:
    """At most so many attempts in a window under a name, 0: any number.

    It does not hold where Redis has a mark of the name `exempting`.
    """

    name: str
    most: int
    exempting: str = ""
    seconds: int = WINDOW_SECONDS


@define
class _Counter:
    count: int
    ends: float


class LocalCounters:
    """The counters of this process; the oldest are dropped when there are too many."""

    def __init__(self) -> None:
        self._counters: OrderedDict[str, _Counter] = OrderedDict()

    def take(self, bounds: list[Bound], *, count: bool) -> float:
        """Count an attempt against all bounds; the seconds to wait when one is reached."""
        now = monotonic()
        ends = [self._end(bound, now) for bound in bounds]
        if any(ends) or not count:
            return max(ends, default=now) - now if any(ends) else 0.0
        for bound in bounds:
            counter = self._counters.setdefault(bound.name, _Counter(0, now + bound.seconds))
            counter.count += 1
        while len(self._counters) > MOST_COUNTERS:
            self._counters.popitem(last=False)
        return 0.0

    def give_back(self, names: list[str]) -> None:
        """Take an attempt out of the counts."""
        for name in names:
            if (counter := self._counters.get(name)) and counter.count > 0:
                counter.count -= 1

    def _end(self, bound: Bound, now: float) -> float:
        """When a bound that is reached has room again; 0 where there is room."""
        counter = self._counters.get(bound.name)
        if counter is not None and counter.ends <= now:
            del self._counters[bound.name]
            counter = None
        return counter.ends if counter is not None and counter.count >= bound.most else 0.0


class Attempts:
    """What is bounded is counted before it is done, and given back where it was harmless."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._key = blake2b(settings.secret_key.encode(), digest_size=32).digest()
        self._redis = create_redis(
            settings,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=None,  # `_ask_all` has its own
        )
        self._script = self._redis.script(SCRIPT)
        self._asking = Batcher[ScriptCall, Any](self._ask_all, TOGETHER)
        self._no_mark = self._redis.name(NO_MARK)
        self._local = LocalCounters()
        self._reached: OrderedDict[str, float] = OrderedDict()  # until when a bound is, perhaps
        self._away_until = 0.0

    async def close(self) -> None:
        """Close the connection."""
        await self._redis.aclose()

    def name(self, *parts: str) -> str:
        """The name for what the parts say: it has their hash, which tells nobody."""
        text = "\0".join(parts).encode(errors="surrogatepass")
        digest = blake2b(text, digest_size=16, key=self._key).hexdigest()
        return self._redis.name(f"genai:attempts:{digest}")

    async def check(self, bounds: list[Bound]) -> None:
        """Count nothing; raises TooManyAttemptsError where a bound is reached.

        That is looked up only where one was reached here lately: most have room, and `take` knows.
        """
        now = monotonic()
        if any(self._reached.get(bound.name, now) > now for bound in bounds):
            await self._find_room(bounds, count=False)

    async def take(self, bounds: list[Bound]) -> list[str]:
        """Count an attempt against all bounds, or, raising TooManyAttemptsError, against none.

        Returns the names of the counters, to be given back.
        """
        return await self._find_room(bounds, count=True)

    async def forgive(self, counters: list[str], mark: str) -> None:
        """Take an attempt that was counted out of the counts again, and note a mark for a month.

        The mark, if Redis is there and does not forget.
        """
        keys = [*counters, mark]
        if await self._asking.do((keys, [FORGIVE, REMEMBERED_SECONDS])) is None:
            self._local.give_back(counters)

    async def _find_room(self, bounds: list[Bound], *, count: bool) -> list[str]:
        active = [bound for bound in bounds if bound.most]
        keys = [key for each in active for key in (each.name, each.exempting or self._no_mark)]
        windows = (each for bound in active for each in (bound.most, bound.seconds * 1000))
        found = await self._asking.do((keys, [TAKE if count else CHECK, *windows]))
        if found is None:
            seconds = self._local.take(active, count=count)
            counters = [bound.name for bound in active]
        else:
            seconds, counters = found[0] / 1000, [name.decode() for name in found[1]]
        if seconds > 0:
            self._note_reached(active, seconds)
            raise TooManyAttemptsError(ceil(seconds))
        return counters

    def _note_reached(self, bounds: list[Bound], seconds: float) -> None:
        until = monotonic() + seconds
        self._reached.update((bound.name, until) for bound in bounds)
        while len(self._reached) > MOST_COUNTERS:
            self._reached.popitem(last=False)

    async def _ask_all(self, calls: list[ScriptCall]) -> list[Any]:
        """What Redis answers, or None: it is away or hangs, and is left alone for a while."""
        if monotonic() < self._away_until:
            return [None for _ in calls]
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                return await self._redis.run(self._script, calls)
        except (RedisError, OSError) as error:  # a TimeoutError is an OSError
            self._away_until = monotonic() + AWAY_SECONDS
            logger.warning("%s", tell(error, "attempts are counted here"))
            return [None for _ in calls]
