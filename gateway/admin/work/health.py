"""How every part of an installation is, each looked at by itself: any may be away."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

import aiosmtplib
import asyncpg
from attrs import frozen

from gateway.admin.options import MOST
from gateway.admin.work.bridges import hear_bridges, select_doors
from gateway.admin.work.listing import Listed, Part
from gateway.files.storage import create_storage
from gateway.parts.queries import select_leader
from gateway.parts.schemas import Door
from shared.postgres.apart import APART_ERRORS, connect_apart, look_before
from shared.postgres.connecting import connect_first
from shared.postgres.poolers import PoolerError
from shared.postgres.statements import DirectConnection
from shared.redis.looking import RedisAwayError, WrongRedisError, look_at_redis
from shared.settings.addresses import in_url
from shared.settings.gateway import GatewaySettings
from shared.settings.postgres import read_address
from shared.settings.smtp import read_smtp

MIGRATIONS = Path(__file__).parents[3] / "migrations"
LOOK_SECONDS = 10.0
STANDBY_SECONDS = 3.0
# What a standby has not heard of cannot be known there: whether it is behind what it heard of can.
STANDING = """
    SELECT CASE
        WHEN NOT pg_is_in_recovery() THEN 'it is no standby (any more)'
        WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 'all that it heard is there'
        ELSE format('behind since %s', pg_last_xact_replay_timestamp())
    END
"""

type Look = Callable[[GatewaySettings], Awaitable[str]]
"""What is to be said of a part that is well."""


class UnwellError(Exception):
    """A part is not well; the text says why."""


@frozen(slots=False)
class Health:
    """A part, whether it is well, how long it took to find out, and what is to be said of it."""

    part: str
    is_well: bool
    ms: float
    says: str


async def look_at_all(settings: GatewaySettings) -> Listed[Health]:
    """Every part, all at once."""
    looks = {
        "PostgreSQL": look_at_postgres,
        "migrations": look_at_migrations,
        "standby": look_at_standby,
        "Redis": _look_at_redis,
        "files": look_at_files,
        "bridges": look_at_bridges,
        "router session": look_at_session,
        "master agent": look_at_master,
        "mail": look_at_mail,
    }
    if settings.smtp_url is None:
        del looks["mail"]
    if settings.database_read_url is None:
        del looks["standby"]
    found = (_time(settings, part, look) for part, look in looks.items())
    return Listed([*await asyncio.gather(*found)])


async def _time(settings: GatewaySettings, part: str, look: Look) -> Health:
    began, is_well = perf_counter(), False
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            says, is_well = await look(settings), True
    except TimeoutError:
        says = "no answer in time"
    except UnwellError as error:
        says = str(error)
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError) as error:
        says = f"migrations are missing: {error}"
    except APART_ERRORS as error:
        says = f"PostgreSQL is away: {error or type(error).__name__}"
    return Health(part, is_well, round(1000 * (perf_counter() - began), 1), says)


async def look_at_postgres(settings: GatewaySettings) -> str:
    """Its version, and what stands before it. Raises UnwellError."""
    connection = await connect_apart(settings, "admin")
    try:
        front = await look_before(settings, connection)
        version = await connection.fetchval("SELECT current_setting('server_version')")
    except PoolerError as error:
        raise UnwellError(str(error)) from error
    finally:
        connection.terminate()
    pooled = f", behind a pooler in {front.mode} mode" if front.mode else ""
    return f"{version} at {settings.postgres.place}{pooled}"


async def look_at_migrations(settings: GatewaySettings) -> str:
    """Whether all that this version brings are applied. Raises UnwellError."""
    connection = await connect_apart(settings, "admin")
    try:
        rows = await connection.fetch("SELECT migration_id FROM _yoyo_migration")
    except asyncpg.InsufficientPrivilegeError:
        raise UnwellError(
            "the services may not read which are applied: migrate once more, which allows it"
        ) from None
    finally:
        connection.terminate()
    applied = {row["migration_id"] for row in rows}
    if missing := sorted(_names() - applied):
        raise UnwellError(f"{len(missing)} are not applied, the first is {missing[0]}")
    others = len(applied - _names())
    return f"all {len(applied)} are applied" + (f", {others} of another version" if others else "")


def _names() -> set[str]:
    files = [*MIGRATIONS.glob("[0-9]*.sql"), *MIGRATIONS.glob("[0-9]*.py")]
    return {path.stem for path in files if not path.stem.endswith(".rollback")}


async def look_at_standby(settings: GatewaySettings) -> str:
    """How far it is. Raises UnwellError."""
    address = read_address(settings.database_read_url or "")
    try:
        connection = await connect_first(timeout=STANDBY_SECONDS, **address.for_asyncpg("admin"))
    except APART_ERRORS as error:
        raise UnwellError(f"{address.place}: {error or type(error).__name__}") from error
    try:
        return f"{address.place}: {await connection.fetchval(STANDING)}"
    finally:
        connection.terminate()


async def _look_at_redis(settings: GatewaySettings) -> str:
    try:
        return await look_at_redis(settings)
    except RedisAwayError as error:
        raise UnwellError(str(error)) from error
    except WrongRedisError as error:
        raise UnwellError(f"REDIS_URL {error}") from error


async def look_at_files(settings: GatewaySettings) -> str:
    """Whether the storage of files answers. Raises UnwellError."""
    place = settings.files_url or f"the folder {settings.default_files_folder_name}"
    if not _is_there(settings):  # to open it would make it
        raise UnwellError(f"{place} is not there")
    found = await create_storage(settings).is_up()
    if found is not True:
        raise UnwellError(f"{place}: {found or 'no answer'}")
    return place


def _is_there(settings: GatewaySettings) -> bool:
    return bool(settings.files_url) or Path(settings.default_files_folder_name).is_dir()


async def look_at_bridges(settings: GatewaySettings) -> str:
    """Which take requests. Raises UnwellError."""
    bridges = await hear_bridges(settings)
    if bridges is None:
        raise UnwellError("nobody can be heard: Redis is away")
    if not bridges:
        raise UnwellError("none says that it takes requests")
    return f"{len(bridges)} take requests: {', '.join(map(str, sorted(bridges)))}"


async def look_at_session(settings: GatewaySettings) -> str:
    """Whether a bridge holds the session at the router. Raises UnwellError."""
    connection = await connect_apart(settings, "admin")
    try:
        leader = await select_leader(DirectConnection(connection))
    finally:
        connection.terminate()
    if leader is None or not leader.is_held:
        raise UnwellError("no bridge has the lease for it")
    return f"{leader.holder} has the lease for it"


async def look_at_master(settings: GatewaySettings) -> str:
    """Where the master agent is. Raises UnwellError."""
    connection = await connect_apart(settings, "admin")
    try:
        doors = (await select_doors(DirectConnection(connection), Part(MOST))).things
    finally:
        connection.terminate()
    return _say_where([door for door in doors if door.is_open])


async def look_at_mail(settings: GatewaySettings) -> str:
    """Whether the server that mail is handed in at lets us in. Raises UnwellError."""
    server = read_smtp(settings.smtp_url or "")
    place = f"{in_url(server.host)}:{server.port}"
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.user,
        password=server.password,
        use_tls=server.is_tls,
        start_tls=server.starts_tls,
        timeout=LOOK_SECONDS,
    )
    try:
        async with client:
            await client.noop()
    except (aiosmtplib.SMTPException, OSError) as error:  # whose words may have the name in them
        raise UnwellError(f"{place}: {type(error).__name__}") from error
    return place


def _say_where(doors: list[Door]) -> str:
    if not doors:
        return "not known: the bridges have no doors, so it is connected to the router"
    at = [str(door.bridge_id) for door in doors if door.has_master_agent]
    if not at:
        raise UnwellError(f"at none of {len(doors)} doors")
    return f"at the door of {at[0]}"
