"""A `REDIS_URL` that names something else than is there: one sentence says what to write."""

import re
from collections.abc import Iterator

import pytest

from devstack.processes import HOST, free_port
from shared.redis.looking import RedisAwayError, WrongRedisError, _require_kind, look_at_redis
from shared.settings.redis_address import read_redis_address
from tests.estates.certificates import make_certificates
from tests.estates.listening import settings_of
from tests.estates.programs import program_of
from tests.estates.running import QUICK, run_cluster, run_node, run_sentinels

LOGIN = r"must have a name and a password that Redis takes: .*"


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What there is, by the words for it in the URLs below."""
    folder, valkey = tmp_path_factory.mktemp("wrong"), program_of("Valkey 9.1")
    certificates = make_certificates(folder / "tls")
    others = make_certificates(folder / "others")
    with (
        run_node(folder / "open", valkey, QUICK) as node,
        run_node(folder / "closed", valkey, {**QUICK, "requirepass": "right"}) as closed,
        run_node(
            folder / "with-tls", program_of("Redis 7.0"), QUICK, certificates=certificates
        ) as with_tls,
        run_sentinels(folder / "sentinels", valkey) as sentinels,
        run_cluster(folder / "cluster", valkey) as cluster,
    ):
        node.ask("ACL SETUSER", "mute", "on", ">right", "+@all", "-publish", "~*", "&*")
        yield {
            "server": f"{HOST}:{node.port}",
            "closed": f"{HOST}:{closed.port}",
            "tls": f"{HOST}:{with_tls.tls_port}",
            "name": f"localhost:{with_tls.tls_port}",
            "sentinel": f"{HOST}:{sentinels.sentinels[0].port}",
            "node": f"{HOST}:{cluster.master.port}",
            "nobody": f"{HOST}:{free_port()}",
            "certificates": certificates.options.removeprefix("?"),
            "authority": f"ssl_ca_certs={certificates.authority}",
            "other": others.options.removeprefix("?"),
        }


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("redis://{closed}", LOGIN),
        ("redis://:wrong@{closed}", LOGIN),
        ("redis://nobody:right@{closed}", LOGIN),
        ("redis://{server}/99", "has the number of a database that is not there: .*"),
        (
            "redis://mute:right@{server}",
            r"names a user who may not .*publish.*redis\.md.*",
        ),
        ("redis://{node}", r"names a node of a Cluster: begin with redis\+cluster://"),
        ("redis://{sentinel}", r"names a Sentinel: write redis\+sentinel:// and the master's .*"),
        (
            "redis+cluster://{server}",
            "names a server that is no node of a Cluster, begin with redis.*",
        ),
        ("redis+cluster://{nobody},{server}", "names a server that is no node of a Cluster, .*"),
        ("redis+cluster://{sentinel}", "names a server that is no node of a Cluster: .*"),
        ("redis+cluster://nobody:wrong@{node}", LOGIN),
        ("redis+sentinel://{server}/mymaster", "names a server that is no Sentinel, begin with .*"),
        ("redis+sentinel://{node}/mymaster", "names a server that is no Sentinel, begin with .*"),
        (
            "redis+sentinel://{sentinel}/yours",
            "names a master yours that its Sentinels do not know; they know mymaster",
        ),
        ("redis+sentinel://{closed}/mymaster", LOGIN),
        ("redis+sentinel://nobody:wrong@{sentinel}/mymaster", LOGIN),
        ("rediss://{tls}", "names a server whose certificate is not trusted: .*"),
        ("rediss+cluster://{tls}", "names a server whose certificate is not trusted: .*"),
        ("rediss+sentinel://{tls}/yours", "names a server whose certificate is not trusted: .*"),
        ("rediss://{tls}?{other}", "names a server whose certificate is not trusted: .*"),
        (
            "rediss://{name}?{certificates}",
            "names a server whose certificate .*: Hostname mismatch.*",
        ),
        ("rediss://{tls}?ssl_ca_certs=/none.pem", "must name files of certificates in PEM .*"),
        ("rediss://{tls}?ssl_ca_certs=/etc/hostname", "must name files of certificates in PEM .*"),
        (
            "rediss://{tls}?{authority}&ssl_certfile=/none.pem&ssl_keyfile=/none.pem",
            "must name files of certificates in PEM .*",
        ),
    ],
)
async def test_what_is_wrong_is_a_sentence(url: str, sentence: str, places: dict[str, str]) -> None:
    with pytest.raises(WrongRedisError) as wrong:
        await look_at_redis(settings_of(url.format(**places)))
    assert re.fullmatch(sentence, str(wrong.value))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("redis://{nobody}", "Connect call failed"),
        ("redis://nobody.invalid", "nobody.invalid:6379"),
        ("unix:///nowhere/redis.sock", "/nowhere/redis.sock"),
        ("redis+sentinel://{nobody},{nobody}/mymaster", "Connect call failed"),
        ("redis+cluster://{nobody},{nobody}", "Connect call failed"),
        ("rediss://{server}", "where it speaks no TLS, write redis"),
        ("rediss+cluster://{node}", "where it speaks no TLS, write redis"),
        ("rediss+sentinel://{sentinel}/mymaster", "where it speaks no TLS, write redis"),
        ("rediss://{tls}?{authority}", "write ssl_certfile and ssl_keyfile"),
        ("redis://{tls}", "where it speaks TLS, write rediss"),
        ("rediss://{nobody}", "Connect call failed"),
    ],
)
async def test_who_is_away_may_come(url: str, why: str, places: dict[str, str]) -> None:
    with pytest.raises(RedisAwayError, match=re.escape(why)):
        await look_at_redis(settings_of(url.format(**places)))


async def test_a_cluster_that_is_too_old() -> None:
    found = {"mode": b"cluster", "version": b"6.2.14"}
    address = read_redis_address("redis+cluster://one,two")
    with pytest.raises(WrongRedisError, match=r"of version 6\.2\.14: it takes 7\.0 or newer"):
        _require_kind(address, found)
