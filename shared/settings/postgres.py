"""Where PostgreSQL is and how to get in: read once, then told to each driver in its own words.

libpq (of psycopg) and asyncpg take the same URL for different things, and what asyncpg does not
know it sends to the server as a setting.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote, urlencode

from attrs import evolve, field, frozen

from shared.settings.addresses import in_url, postgres_place
from shared.settings.certificates import check_key_pair, read_roots, system_roots
from shared.settings.readers import port, postgres_host

DEFAULT_PORT = 5432
APPLICATION = "genai-backend"
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
VERIFYING = ("require", "verify-ca", "verify-full")  # where there is a certificate to verify by

# What both drivers obey, and what it may be.
TLS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "ssl_min_protocol_version")
_OBEYED = (*TLS, "target_session_attrs", "application_name", "options")
_PLACES = ("host", "port", "user", "password", "dbname")
_VALUES = {
    "sslmode": SSL_MODES,
    "ssl_min_protocol_version": ("TLSv1.2", "TLSv1.3"),
    "target_session_attrs": ("any", "read-write", "primary"),  # standbys take no messages
}

# As libpq does: a password goes up to the first @, and nothing after the hosts has one.
_parts = re.compile(
    r"(?P<scheme>[^:/]+)://"
    r"(?:(?P<user>[^:@/]*)(?::(?P<password>[^@/]*))?@)?"
    r"(?P<hosts>[^/?@]*)(?:/(?P<dbname>[^?@]*))?(?:\?(?P<query>[^@]*))?"
)
_scheme = re.compile(r"postgres(ql)?(\+\w+)?")  # others than libpq name a driver there
_host = re.compile(r"(?P<host>\[[^]]*\]|[^:]*)(?::(?P<port>[^:]*))?")
_no_url = re.compile(r"[\s\x00-\x1f]|%(?![0-9a-fA-F]{2})|%00")

_FORM = (
    "must be a URL like postgresql://user:password@host:5432/database; what a name, a password or a"
    " value there has of @ : / ? # % & and blanks is written as %40 and so on"
)
_HOST = (
    "must have hosts that are each a name, an IP address (one of IPv6 in brackets) or the folder"
    " of a socket, perhaps with a port"
)


@frozen
class PostgresAddress:
    """Hosts, each with its port, who comes, and libpq's parameters for how."""

    hosts: tuple[str, ...]
    ports: tuple[int, ...]
    user: str
    password: str | None = field(repr=False)
    database: str
    given: Mapping[str, str] = field(repr=False)

    @property
    def place(self) -> str:
        """Where PostgreSQL listens, for people: without a name and a password."""
        places = zip(self.hosts, self.ports, strict=True)
        return " or ".join(postgres_place(host, port) for host, port in places)

    @property
    def parameters(self) -> dict[str, str]:
        """Those that were given; of several hosts the one that can be written to is meant."""
        several = {"target_session_attrs": "read-write"} if len(self.hosts) > 1 else {}
        return {**several, **self.given}

    @property
    def secrets(self) -> tuple[str, ...]:
        """What nobody may read, as it is and as it stands in a URL."""
        texts = (self.password, self.given.get("sslpassword"))
        return tuple(form for text in texts if text for form in (text, quote(text, safe="")))

    @property
    def for_libpq(self) -> str:
        """The URL, its parts quoted, the folder of a socket too."""
        password = "" if self.password is None else f":{quote(self.password, safe='')}"
        places = zip(self.hosts, self.ports, strict=True)
        hosts = ",".join(f"{in_url(quote(host, safe=':'))}:{port}" for host, port in places)
        url = f"postgresql://{quote(self.user, safe='')}{password}@{hosts}"
        query = f"?{_query(self.parameters)}" if self.parameters else ""
        return f"{url}/{quote(self.database, safe='')}{query}"

    def for_asyncpg(self, purpose: str = "", **settings: str) -> dict[str, Any]:
        """The arguments of `connect_first`, with these settings of the session.

        asyncpg has none for files of certificates: those are what its own URL holds.
        """
        parameters = self.parameters
        tls = {name: parameters[name] for name in TLS if name in parameters}
        name = parameters.get("application_name", APPLICATION)
        options = {"options": parameters["options"]} if "options" in parameters else {}
        return {
            "dsn": f"postgresql://?{_query(tls)}" if tls else None,
            "host": list(self.hosts),
            "port": list(self.ports),
            "user": self.user,
            "password": self.password,
            "database": self.database,
            "target_session_attrs": parameters.get("target_session_attrs"),
            "server_settings": {
                **options,
                "application_name": f"{name} {purpose}".strip(),
                **settings,
            },
        }


def read_address(url: str) -> PostgresAddress:
    """The address in a URL of libpq's form; opens no file.

    Raises ValueError with the rest of a sentence, which repeats no value.
    """
    parts = _parts.fullmatch(url)
    if parts is None or _no_url.search(url):
        raise ValueError(_FORM)
    if not _scheme.fullmatch(parts["scheme"]):
        raise ValueError("must be a URL that begins with postgresql:// or postgres://")
    query = _read_query(parts["query"] or "")
    named = {name: _unquote(parts[name]) for name in ("user", "password", "dbname") if parts[name]}
    named |= {name: query.pop(name) for name in _PLACES if name in query}
    hosts, ports = _split_hosts(parts["hosts"])
    if "host" in named:
        hosts, ports = named["host"].split(","), [""]
    if "port" in named:
        ports = named["port"].split(",")
    user = named.get("user", "postgres")
    database = named.get("dbname", user)
    numbers = _read_ports(ports, len(hosts))
    return PostgresAddress(
        _read_hosts(hosts), numbers, user, named.get("password"), database, query
    )


def postgres_url(text: str) -> str:
    """The URL in libpq's form, when both drivers can obey it. Raises ValueError."""
    address = read_address(text)
    given = dict(address.given)
    if roots := given.get("sslrootcert"):
        given["sslrootcert"] = read_roots(roots, "must have an sslrootcert that is")
    if fault := fault_of_roots(given.get("sslmode"), given.get("sslrootcert")):
        raise ValueError(fault)
    if ("sslcert" in given) != ("sslkey" in given):
        raise ValueError("must have both sslcert and sslkey, or neither")
    if "sslcert" in given:
        check_key_pair(given["sslcert"], given["sslkey"], given.get("sslpassword", ""))
    return evolve(address, given=given).for_libpq


def standby_url(text: str) -> str:
    """The same for servers that are read from only, whichever of them. Raises ValueError."""
    if "target_session_attrs" in read_address(text).given:
        raise ValueError("must do without target_session_attrs: whichever host is there is read")
    address = read_address(postgres_url(text))
    return evolve(address, given={**address.given, "target_session_attrs": "any"}).for_libpq


def passwords_in(url: str) -> tuple[str, ...]:
    """The password in a URL, if there is one."""
    password = read_address(url).password
    return () if password is None else (password,)


def ssl_mode(text: str) -> str:
    """One of libpq's names. Raises ValueError."""
    if text not in SSL_MODES:
        raise ValueError(f"must be one of {', '.join(SSL_MODES)}")
    return text


def ssl_roots(text: str) -> str:
    """The file of the CA's certificates. Raises ValueError."""
    return read_roots(text, "must be")


def fault_of_roots(mode: str | None, roots: str | None, prefix: str = "") -> str | None:
    """What mode and certificates of the CA have against each other: the rest of a sentence.

    The drivers would take these for different things, or look for files of their own. The prefix
    is that of the variables' names.
    """
    sslmode, sslrootcert = (
        f"{prefix}{name}".upper() if prefix else name for name in ("sslmode", "sslrootcert")
    )
    if roots is None:
        is_blind = mode is not None and mode.startswith("verify-")
        return f"needs {sslrootcert} to verify by: a file, or system" if is_blind else None
    if mode not in VERIFYING:
        return f"needs {sslmode} to be require, verify-ca or verify-full, or verifies nothing"
    if mode != "verify-full" and roots == system_roots():
        return f"needs {sslmode} to be verify-full: CAs of the system give anybody a certificate"
    return None


def _split_hosts(text: str) -> tuple[list[str], list[str]]:
    found = [_host.fullmatch(each) for each in text.split(",")]
    parts = [match.groups(default="") for match in found if match]
    if len(parts) < len(found):
        raise ValueError(_HOST)
    return [_unquote(host) for host, _ in parts], [_unquote(port) for _, port in parts]


def _read_hosts(texts: Iterable[str]) -> tuple[str, ...]:
    try:
        return tuple(map(postgres_host, texts))
    except ValueError:
        raise ValueError(_HOST) from None


def _read_ports(texts: list[str], count: int) -> tuple[int, ...]:
    """One for each host; a single one is for all."""
    try:
        ports = tuple(port(text) if text else DEFAULT_PORT for text in texts)
    except ValueError as fault:
        raise ValueError(f"has a port that is none: it {fault}") from None
    if len(ports) not in {1, count}:
        raise ValueError("must have one port for all hosts, or one for each")
    return ports if len(ports) == count else ports * count


def _read_query(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split("&") if pair]
    if not all(equals and re.fullmatch(r"\w+", name) for name, equals, _ in pairs):
        raise ValueError(_FORM)
    query = {name: _unquote(value) for name, _, value in pairs if value}
    if mode := query.pop("ssl", None):  # of JDBC, and of SQLAlchemy for asyncpg
        query["sslmode"] = "require" if mode == "true" else mode
    for name, value in query.items():
        if name not in (*_OBEYED, *_PLACES):
            raise ValueError(
                f"must do without {name}: the parameters that both drivers obey are"
                f" {', '.join(_OBEYED)}"
            )
        if value not in (values := _VALUES.get(name, (value,))):
            raise ValueError(f"must have for {name} one of {', '.join(values)}")
    return query


def _unquote(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ValueError(_FORM) from None


def _query(parameters: Mapping[str, str]) -> str:
    return urlencode(parameters, quote_via=quote, safe="")
