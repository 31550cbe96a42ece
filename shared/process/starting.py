"""Starting a service: what it needs is looked for first, and what is missing is one sentence."""

import asyncio
import logging
import platform
import socket
import sys
from importlib import import_module
from time import monotonic

from shared import VERSION
from shared.postgres.apart import APART_ERRORS, connect_apart, look_before
from shared.postgres.poolers import UNLIMITED, Front, PoolerError
from shared.process.memory import share_one_arena
from shared.process.reaching import RETRY_SECONDS, reach_postgres
from shared.process.waiting import waiting_for
from shared.redis.looking import RedisAwayError, WrongRedisError, look_at_redis
from shared.settings.addresses import in_url
from shared.settings.common import CommonSettings
from shared.settings.reading import SettingsError, load_settings
from shared.telemetry.logging import configure_logging

logger = logging.getLogger(__name__)

REACH_SECONDS = 30.0  # in which PostgreSQL may still come


class StartError(Exception):
    """The service can't start here; the text is one sentence for its operator."""


def start(module: str, into: type[CommonSettings]) -> None:
    """Run the module's `create_app` where its `listening` says; exits with 1 if it can't start.

    It is loaded here: that takes seconds, in which nobody would know what happens.
    """
    share_one_arena()
    try:
        settings = load_settings(into)
    except SettingsError as error:
        sys.exit(f"The settings are not complete: {error}.")
    configure_logging(
        debug=settings.debug, style=settings.log_format, secrets=settings.secret_texts
    )
    logger.info("version %s starts on Python %s", VERSION, platform.python_version())
    with waiting_for("its own modules"):
        app, server = import_module(module), import_module("shared.process.server")
    listening = app.listening(settings)
    try:
        for host, port in listening.addresses:
            require_address(host, port)
        require_postgres(settings)
        check_redis(settings)
    except StartError as error:
        logger.critical("%s", error)
        sys.exit(1)
    server.serve(settings, app.create_app(settings), listening)


def require_address(host: str, port: int) -> None:
    """Raises StartError where nobody can listen, or somebody else does."""
    try:
        with waiting_for(f"the address of {host}"):
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for family, kind, protocol, _, address in found:
            with socket.socket(family, kind, protocol) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:  # which is not IPv4's too, as in the server
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listener.bind(address)
    except OSError as error:
        raise StartError(f"nobody can listen at {in_url(host)}:{port}: {error.strerror}") from None


def require_postgres(settings: CommonSettings) -> None:
    """Return when PostgreSQL lets this service in. Raises StartError."""
    address = settings.postgres
    with waiting_for(f"PostgreSQL at {address.place}"):
        found = asyncio.run(_reach(settings))
    if isinstance(found, Exception):
        reason = str(found) or type(found).__name__
        raise StartError(f"PostgreSQL at {address.place} can't be used: {reason}")
    _tell(found, address.user)


async def _reach(settings: CommonSettings) -> Front | Exception:
    """What stands before PostgreSQL; or what kept us out, or from looking, for so long."""
    end = monotonic() + REACH_SECONDS
    while True:
        if error := await reach_postgres(settings.postgres, end - monotonic()):
            return error
        try:
            return await _look_before(settings)
        except PoolerError as refused:
            return refused
        except APART_ERRORS as failure:  # it has let in, and went away again
            if monotonic() > end:
                return failure
        await asyncio.sleep(RETRY_SECONDS)


async def _look_before(settings: CommonSettings) -> Front:
    connection = await connect_apart(settings, "start")
    try:
        return await look_before(settings, connection)
    finally:
        connection.terminate()


def _tell(front: Front, role: str) -> None:
    if front.mode is not None:
        logger.info("PostgreSQL is reached through a pooler in %s mode", front.mode)
    if not front.has_limits:
        logger.warning("%s", UNLIMITED.format(role=role))


def check_redis(settings: CommonSettings) -> None:
    """Tell which Redis is there, or that none is: work goes on without it.

    Raises StartError where it is not the one that the variable says, or does not let us in.
    """
    try:
        with waiting_for("Redis"):
            found = asyncio.run(look_at_redis(settings))
    except WrongRedisError as error:
        raise StartError(f"REDIS_URL {error}") from None
    except RedisAwayError as error:
        logger.warning("REDIS_URL is tried on and on, for now in vain. %s", error)
    else:
        logger.info("Redis is %s", found)
