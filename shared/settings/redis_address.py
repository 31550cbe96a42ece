"""`REDIS_URL`: a server, the master that Sentinels name, or a Cluster."""

import re
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from attrs import field, frozen

from shared.settings.addresses import in_url, split_url

type Kind = Literal["server", "sentinel", "cluster"]
type Place = tuple[str, int]

PORT, SENTINEL_PORT = 6379, 26379
SCHEMES: dict[str, Kind] = {
    "redis": "server",
    "rediss": "server",
    "unix": "server",
    "redis+sentinel": "sentinel",
    "rediss+sentinel": "sentinel",
    "redis+cluster": "cluster",
    "rediss+cluster": "cluster",
}
TLS_OPTIONS = {
    "ssl_ca_certs",
    "ssl_certfile",
    "ssl_keyfile",
    "ssl_cert_reqs",
    "ssl_check_hostname",
}
SENTINEL_OPTIONS = {"sentinel_username", "sentinel_password"}
OPTIONS = {"db", "username", "password"}
BAD_PLACE = (
    "must have a host and perhaps a port; what a name or password before it has of"
    " @ : / ? # % and blanks is written as %40 and so on"
)


@frozen
class RedisAddress:
    """Where Redis is. `places` are hosts and ports, of Sentinels or of a Cluster's first nodes too.

    `tls` are redis-py's options, None: no TLS.
    """

    kind: Kind
    places: tuple[Place, ...]
    socket: str = ""
    master: str = ""
    db: int = 0
    login: dict[str, str] = field(factory=dict, repr=False)
    sentinel_login: dict[str, str] = field(factory=dict, repr=False)
    tls: dict[str, str | bool] | None = None

    def __str__(self) -> str:
        """The places as people write them; no secret."""
        return self.socket or ", ".join(f"{in_url(host)}:{port}" for host, port in self.places)


def read_redis_address(text: str) -> RedisAddress:
    """Raises ValueError with the rest of a sentence that says what to write, and repeats nothing.

    What may be written: docs/how-to/redis.md.
    """
    scheme, _, rest = text.partition("://")
    if scheme not in SCHEMES:
        raise ValueError(f"must be a URL that begins with {'://, '.join(SCHEMES)}://")
    kind, has_tls = SCHEMES[scheme], scheme.startswith("rediss")
    parts = _split(rest)
    options = _options(parts, kind, has_tls=has_tls)
    sentinel_login = {
        name.removeprefix("sentinel_"): options[name] for name in SENTINEL_OPTIONS & options.keys()
    }
    path = parts.path.removeprefix("/")
    master, _, database = path.partition("/") if kind == "sentinel" else ("", "", path)
    if kind == "sentinel" and not master:
        raise ValueError(
            "must name the master after the hosts of Sentinels,"
            " as in redis+sentinel://one:26379,two:26379/mymaster"
        )
    return RedisAddress(
        kind=kind,
        places=() if scheme == "unix" else _places(parts, kind),
        socket=_socket(parts) if scheme == "unix" else "",
        master=unquote(master),
        db=_database(["" if scheme == "unix" else database, options.get("db", "")], kind),
        login=_login(parts, options),
        sentinel_login=sentinel_login,
        tls=_tls(options) if has_tls else None,
    )


def _split(rest: str) -> SplitResult:
    try:
        parts = urlsplit(f"redis://{rest}")
    except ValueError:
        raise ValueError(BAD_PLACE) from None
    if re.search(r"[\s\x00-\x1f#]", rest) or parts.netloc.count("@") > 1:
        raise ValueError(BAD_PLACE)
    return parts


def _options(parts: SplitResult, kind: Kind, *, has_tls: bool) -> dict[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if not has_tls and TLS_OPTIONS & options.keys():
        raise ValueError("must begin with rediss where it has options of TLS")
    known = OPTIONS | (TLS_OPTIONS if has_tls else set())
    known |= SENTINEL_OPTIONS if kind == "sentinel" else set()
    if not options.keys() <= known:
        raise ValueError(f"must have no other options after ? than {', '.join(sorted(known))}")
    return options


def _places(parts: SplitResult, kind: Kind) -> tuple[Place, ...]:
    hosts = parts.netloc.rpartition("@")[2].split(",")
    if kind == "server" and len(hosts) > 1:
        raise ValueError(
            "must name one host: for several begin with redis+sentinel, where Sentinels name the"
            " master, or with redis+cluster"
        )
    default = SENTINEL_PORT if kind == "sentinel" else PORT
    try:
        found = [split_url(f"redis://{host}") for host in hosts]
    except ValueError:
        raise ValueError(BAD_PLACE) from None
    return tuple((each.hostname or "", each.port or default) for each in found)


def _socket(parts: SplitResult) -> str:
    if parts.netloc.rpartition("@")[2] or not parts.path.strip("/"):
        raise ValueError("must name the file of a socket, as in unix:///run/redis.sock?db=0")
    return unquote(parts.path)


def _database(numbers: list[str], kind: Kind) -> int:
    if not all(number.isdigit() for number in numbers if number):
        raise ValueError("must have the number of a database, as in redis://localhost:6379/0")
    chosen = int(numbers[1] or numbers[0] or 0)
    if kind == "cluster" and chosen:
        raise ValueError("must have no database but 0 where it names a Cluster")
    return chosen


def _login(parts: SplitResult, options: dict[str, str]) -> dict[str, str]:
    """Those before the hosts, or, as for a socket, of the query."""
    given = {"username": parts.username, "password": parts.password}
    login = {name: unquote(text) for name, text in given.items() if text}
    return {**login, **{name: options[name] for name in given if name in options}}


def _tls(options: dict[str, str]) -> dict[str, str | bool]:
    tls: dict[str, str | bool] = {name: options[name] for name in TLS_OPTIONS & options.keys()}
    if options.get("ssl_cert_reqs", "required") not in {"required", "none"}:
        raise ValueError("must have required or none as ssl_cert_reqs")
    if ("ssl_certfile" in tls) != ("ssl_keyfile" in tls):
        raise ValueError("must have both ssl_certfile and ssl_keyfile, or neither")
    if "ssl_check_hostname" in tls:
        if options["ssl_check_hostname"].lower() not in {"true", "false"}:
            raise ValueError("must have true or false as ssl_check_hostname")
        tls["ssl_check_hostname"] = options["ssl_check_hostname"].lower() == "true"
    return tls
