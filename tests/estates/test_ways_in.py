"""Ways to Redis: by TLS, over a socket, with a name and a password; what is found is told."""

from pathlib import Path

import pytest

from gateway.accounts.attempts import Attempts
from shared.redis.looking import look_at_redis
from tests.estates.certificates import Certificates, make_certificates
from tests.estates.listening import count_again, run_pair, seconds_until_heard, settings_of
from tests.estates.programs import NAMES, program_of
from tests.estates.running import QUICK, run_cluster, run_node, run_sentinels

WITH_TLS = "Redis 7.0"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates") / "tls")


async def assert_all_works(url: str) -> None:
    """One process hears another, and attempts are counted."""
    settings = settings_of(url)
    attempts = Attempts(settings)
    async with run_pair(settings) as (speaker, listener):
        await seconds_until_heard(speaker, listener)
        await count_again(attempts)
        await attempts.forgive([attempts.name("again")], attempts.name("mark"))
        assert not attempts._away_until
    await attempts.close()


@pytest.mark.parametrize("name", NAMES)
async def test_a_server_is_found_and_told_as_documented(name: str, tmp_path: Path) -> None:
    with run_node(tmp_path / "node", program_of(name), QUICK) as node:
        url = f"redis://127.0.0.1:{node.port}/1"
        found = await look_at_redis(settings_of(url))
        assert found.startswith(f"{name}.")
        assert found.endswith(f", a server: 127.0.0.1:{node.port}")
        await assert_all_works(url)


async def test_a_socket(tmp_path: Path) -> None:
    socket = tmp_path / "redis.sock"
    settings = {**QUICK, "unixsocket": str(socket), "requirepass": "nine%lives"}
    with run_node(tmp_path / "node", program_of("Valkey 9.1"), settings):
        url = f"unix://{socket}?db=1&password=nine%25lives"
        assert (await look_at_redis(settings_of(url))).endswith(f", a server: {socket}")
        await assert_all_works(url)


async def test_tls_with_an_authority_of_one_s_own(
    tmp_path: Path, certificates: Certificates
) -> None:
    with run_node(
        tmp_path / "node", program_of(WITH_TLS), QUICK, certificates=certificates
    ) as node:
        await assert_all_works(f"rediss://127.0.0.1:{node.tls_port}/0{certificates.options}")


async def test_tls_to_sentinels_and_their_master(
    tmp_path: Path, certificates: Certificates
) -> None:
    with run_sentinels(tmp_path, program_of(WITH_TLS), certificates) as estate:
        url = f"{estate.url.replace('redis', 'rediss', 1)}{certificates.options}"
        found = await look_at_redis(settings_of(url))
        assert found.endswith(f"a master that Sentinels name: 127.0.0.1:{estate.find()}")
        await assert_all_works(url)


async def test_tls_to_a_cluster(tmp_path: Path, certificates: Certificates) -> None:
    with run_cluster(tmp_path, program_of(WITH_TLS), certificates) as estate:
        url = f"{estate.url.replace('redis', 'rediss', 1)}{certificates.options}"
        found = await look_at_redis(settings_of(url))
        assert f"a Cluster: 127.0.0.1:{estate.master.tls_port}" in found
        await assert_all_works(url)
