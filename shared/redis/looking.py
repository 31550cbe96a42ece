"""Looking at Redis once, before a service starts: what is there, and whether it lets us in."""

import asyncio
import ssl
from collections.abc import Iterator
from typing import Any

from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    NoPermissionError,
    RedisError,
    ResponseError,
)

from shared.redis.faults import what_happened
from shared.redis.finding import NO_LOGIN
from shared.redis.servers import RedisServer, SentinelServer, create_redis
from shared.settings.common import CommonSettings
from shared.settings.redis_address import RedisAddress

LOOK_SECONDS = 5.0
CLUSTER_VERSION = 7  # the first with channels of a slot
CHANNEL = "genai:check"
KEY = "genai:attempts:check"
# All that the scripts of attempts do.
CHECK = """
    redis.call('SET', KEYS[1], 1, 'EX', 1)
    redis.call('EXISTS', KEYS[1])
    redis.call('GET', KEYS[1])
    redis.call('INCR', KEYS[1])
    redis.call('DECR', KEYS[1])
    redis.call('PEXPIRE', KEYS[1], 1000)
    return redis.call('PTTL', KEYS[1])
"""


SCRIPT_REFUSED = ("ACL failure in script", "executing the script can't")
# What servers say, in their words, and what that means here.
SAID = {
    "DB index is out of range": "has the number of a database that is not there",
    "cluster support disabled": "names a server that is no node of a Cluster, begin with redis://",
    "unknown command 'CLUSTER": "names a server that is no node of a Cluster",
    "unknown command 'SENTINEL": "names a server that is no Sentinel, begin with redis://",
    "unknown command": "names a server that is too old",
}


class WrongRedisError(Exception):
    """What `REDIS_URL` names is not what it says, or lets us not in: the rest of a sentence."""


class RedisAwayError(Exception):
    """Nobody answers, or not yet; the text says why."""


async def look_at_redis(settings: CommonSettings) -> str:
    """What is there, in words. Raises WrongRedisError, or RedisAwayError where waiting may help."""
    redis = create_redis(settings, retry=Retry(NoBackoff(), 0))
    _require_files(redis.address)
    try:
        async with redis, asyncio.timeout(LOOK_SECONDS):
            if isinstance(redis, SentinelServer):
                await _require_master(redis)
            hello = await redis.client.execute_command("HELLO")  # type: ignore[no-untyped-call]
            found = {name.decode(): value for name, value in hello.items()}
            _require_kind(redis.address, found)
            await _use(redis)
    except (RedisError, OSError) as error:  # a TimeoutError is an OSError
        if wrong := _what_is_wrong(error):
            raise WrongRedisError(wrong) from error
        why = _why(error, redis.address)
        raise RedisAwayError(f"{what_happened(error)}: {why}") from error
    server, version = found["server"].decode().capitalize(), found["version"].decode()
    return f"{server} {version}, {redis.kind}: {redis.place}"


def _require_files(address: RedisAddress) -> None:
    tls = address.tls or {}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which knows no others
    try:
        if "ssl_ca_certs" in tls:
            context.load_verify_locations(str(tls["ssl_ca_certs"]))
        if "ssl_certfile" in tls:
            context.load_cert_chain(str(tls["ssl_certfile"]), str(tls["ssl_keyfile"]))
    except OSError as error:  # a SSLError is one
        raise WrongRedisError(
            f"must name files of certificates in PEM that can be read: {error.strerror}"
        ) from error


async def _require_master(redis: SentinelServer) -> None:
    known = await redis.sentinels.list_names()
    if redis.address.master not in known:
        raise WrongRedisError(
            f"names a master {redis.address.master} that its Sentinels do not know;"
            f" they know {', '.join(sorted(known)) or 'none'}"
        )


def _require_kind(address: RedisAddress, found: dict[str, Any]) -> None:
    mode, version = found["mode"].decode(), found["version"].decode()
    if mode == "sentinel":
        raise WrongRedisError(
            "names a Sentinel: write redis+sentinel:// and the master's name after the hosts"
        )
    if mode == "cluster" and address.kind == "server":
        raise WrongRedisError("names a node of a Cluster: begin with redis+cluster://")
    if address.kind == "cluster" and int(version.partition(".")[0]) < CLUSTER_VERSION:
        raise WrongRedisError(f"names a Cluster of version {version}: it takes 7.0 or newer")


async def _use(redis: RedisServer) -> None:
    """All that the services do there."""
    await redis.client.ping()
    await redis.client.script_load(CHECK)  # which is done later only where it is not yet there
    await redis.script(CHECK)([redis.name(KEY)])
    async with redis.subscriber() as subscriber:
        await subscriber.subscribe(CHANNEL)
        await subscriber.get_message(timeout=LOOK_SECONDS)
        await redis.publish([(CHANNEL, b"")])
        await subscriber.get_message(timeout=LOOK_SECONDS)
        await subscriber.unsubscribe(CHANNEL)
        await subscriber.get_message(timeout=LOOK_SECONDS)


def _what_is_wrong(error: Exception) -> str:
    """What no waiting changes; nothing where it may."""
    for each in _causes(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            return f"names a server whose certificate is not trusted: {each.verify_message}"
    said = str(error) if isinstance(error, ResponseError) else ""
    if isinstance(error, NoPermissionError) or any(words in said for words in SCRIPT_REFUSED):
        return (
            f"names a user who may not do all that is needed: {error}."
            " docs/how-to/redis.md has the line for its ACL"
        )
    if isinstance(error, NO_LOGIN):
        return f"must have a name and a password that Redis takes: {error}"
    return next((f"{means}: {said}" for words, means in SAID.items() if words in said), "")


def _why(error: Exception, address: RedisAddress) -> str:
    """The error's words, and what they may come of: a server says little of TLS."""
    words = str(error) or "no answer in time"
    is_cut = any(each in words for each in ("reset by peer", "closed by server", "_REQUIRED"))
    match address.tls is not None, is_cut, "Timeout" in words:
        case False, True, _:
            return f"{words} (where it speaks TLS, write rediss)"
        case True, True, _ if "ssl_certfile" not in (address.tls or {}):
            return f"{words} (where it wants a certificate, write ssl_certfile and ssl_keyfile)"
        case True, _, True:
            return f"{words} (where it speaks no TLS, write redis and not rediss)"
    return words


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
