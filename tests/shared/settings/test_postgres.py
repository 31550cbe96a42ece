"""A PostgreSQL that both drivers get to, or one sentence about what is wrong with its address."""

from collections.abc import Callable
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from shared.settings.common import PostgresSettings
from shared.settings.installation import Settings
from shared.settings.postgres import read_address
from shared.settings.reading import SettingsError, read_settings
from tests.shared.postgres.authority import Authority
from tests.system import make_secrets

PASSWORD = "9 lives/of 1 cat"
QUOTED = "9%20lives%2Fof%201%20cat"
URL = f"postgresql://me:{QUOTED}@db:5433/genai"


def read(**variables: str) -> PostgresSettings:
    return read_settings(variables, PostgresSettings)


def refusal(**variables: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(**variables)
    return str(caught.value)


@pytest.mark.parametrize(
    "scheme", ["postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg"]
)
def test_a_url_is_taken_whatever_driver_it_names(scheme: str) -> None:
    settings = read(DATABASE_URL=URL.replace("postgresql", scheme))
    assert settings.database_url == URL
    assert settings.postgres.place == "db:5433"


@pytest.mark.parametrize(
    ("text", "place", "given"),
    [
        ("postgresql://a,b:5433,[::1]/x", "a:5432 or b:5433 or [::1]:5432", {}),
        ("postgresql://a,b:5433/x?target_session_attrs=any", "a:5432 or b:5433", {}),
        ("postgresql:///x?host=/run/my%20pg&user=me", "/run/my pg/.s.PGSQL.5432", {"user": "me"}),
        ("postgresql://%2Frun%2Fpg:5433/x", "/run/pg/.s.PGSQL.5433", {}),
        ("postgresql://ignored/x?host=a,b&port=1,2", "a:1 or b:2", {}),
        ("postgresql://a,b/x?port=7", "a:7 or b:7", {}),
        ("postgresql://me@a", "a:5432", {"user": "me", "dbname": "me"}),
        ("postgresql://me:p%40ssing:it?on@a/x", "a:5432", {"password": "p@ssing:it?on"}),
        ("postgresql://a/x?ssl=true", "a:5432", {"sslmode": "require"}),
        ("postgresql://a/x?ssl=require&options=-c%20a%3Db", "a:5432", {"options": "-c a=b"}),
    ],
)
def test_libpq_understands_what_is_understood(text: str, place: str, given: dict[str, str]) -> None:
    settings = read(DATABASE_URL=text)
    assert settings.postgres.place == place
    assert read_address(settings.database_url) == settings.postgres
    told = conninfo_to_dict(settings.database_url)
    options = settings.postgres.for_asyncpg()
    assert told["host"] == ",".join(options["host"])
    assert told["port"] == ",".join(map(str, options["port"]))
    assert told["dbname"] == options["database"]
    assert given.items() <= told.items()


def test_of_several_hosts_the_one_that_can_be_written_to_is_meant() -> None:
    variables = {"POSTGRES_PASSWORD": PASSWORD, "POSTGRES_HOST": "a, b"}
    for settings in (read(**variables), read(DATABASE_URL="postgresql://a,b/x")):
        assert settings.postgres.for_asyncpg()["target_session_attrs"] == "read-write"
        assert settings.database_url.endswith("?target_session_attrs=read-write")
    assert "target_session_attrs" not in read(DATABASE_URL="postgresql://a/x").database_url


@pytest.mark.parametrize(
    "text",
    [
        "mysql://me@db/genai",
        "db:5432/genai",
        "postgresql:/db/genai",
        "postgresql://me:pass/word@db/genai",
        "postgresql://me:pass@word@db/genai",
        "postgresql://db/genai\n",
        "postgresql://db/gen ai",
        "postgresql://db/%zz",
        "postgresql://db/%00",
        "postgresql://db/%ff",
        "postgresql:///genai",
        "postgresql://db,/genai",
        "postgresql://db!/genai",
        "postgresql://::1/genai",
        "postgresql://[::1/genai",
        "postgresql://[db]/genai",
        "postgresql://db:five/genai",
        "postgresql://db:0/genai",
        "postgresql://db:65536/genai",
        "postgresql:///genai?host=db:5432",
        "postgresql://a,b,c/genai?port=1,2",
        "postgresql://db/genai?sslmode",
        "postgresql://db/genai?sslmode=sure",
        "postgresql://db/genai?sslmode=verify-full",
        "postgresql://db/genai?sslmode=verify-ca&sslrootcert=system",
        "postgresql://db/genai?sslrootcert=system",
        "postgresql://db/genai?sslmode=prefer&sslrootcert=system",
        "postgresql://db/genai?ssl=maybe",
        "postgresql://db/genai?ssl_min_protocol_version=SSLv3",
        "postgresql://db/genai?target_session_attrs=standby",
        "postgresql://db/genai?target_session_attrs=prefer-standby",
    ],
)
def test_what_is_no_address_is_one_sentence_that_repeats_nothing(text: str) -> None:
    told = refusal(DATABASE_URL=text)
    assert told.split()[:2] in (["DATABASE_URL", word] for word in ("must", "needs", "has"))
    assert told.count("DATABASE_URL") == 1
    for part in ("genai", "pass", "five"):
        assert f" {part}" not in told.replace("user:password@host", "").replace("a password", "")


@pytest.mark.parametrize(
    "parameter",
    [
        "channel_binding=require",
        "connect_timeout=10",
        "gssencmode=disable",
        "keepalives=1",
        "sslcrl=/x",
        "hostaddr=10.0.0.7",
        "service=x",
        "passfile=/x",
        "load_balance_hosts=random",
        "pgbouncer=true",
        "statement_cache_size=0",
        "SSLMODE=require",
    ],
)
def test_a_parameter_that_not_both_drivers_obey_is_named(parameter: str) -> None:
    told = refusal(DATABASE_URL=f"{URL}?{parameter}")
    assert told.startswith(f"DATABASE_URL must do without {parameter.partition('=')[0]}: ")


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"POSTGRES_SSLMODE": "on"}, "POSTGRES_SSLMODE must be one of disable, allow, "),
        ({"POSTGRES_SSLMODE": "verify-full"}, "POSTGRES_SSLMODE needs POSTGRES_SSLROOTCERT "),
        ({"POSTGRES_SSLROOTCERT": "system"}, "POSTGRES_SSLROOTCERT needs POSTGRES_SSLMODE "),
        (
            {"POSTGRES_SSLROOTCERT": "system", "POSTGRES_SSLMODE": "verify-ca"},
            "POSTGRES_SSLROOTCERT needs POSTGRES_SSLMODE to be verify-full",
        ),
        (
            {"POSTGRES_SSLROOTCERT": "/nowhere", "POSTGRES_SSLMODE": "verify-full"},
            "POSTGRES_SSLROOTCERT must be a file of PEM certificates, or system: No such file",
        ),
        ({"POSTGRES_HOST": "a,b:1"}, "POSTGRES_HOST must be the name of a host"),
    ],
    ids=["mode", "no roots", "no mode", "weak mode", "no file", "hosts"],
)
def test_the_single_variables_are_looked_at_too(variables: dict[str, str], told: str) -> None:
    found = refusal(POSTGRES_PASSWORD=PASSWORD, **variables)
    assert found.startswith(told)
    assert ";" not in found


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "a CA")


type Files = Callable[[Authority, Path], dict[str, Path | str]]


def _pair(authority: Authority, password: str = "") -> dict[str, Path | str]:
    certificate, key = authority.sign("me", password=password)
    return {"sslcert": certificate, "sslkey": key}


def _garbage(folder: Path) -> Path:
    path = folder / "garbage"
    path.write_text("-----BEGIN NOTHING-----")
    return path


def _open_to_all(authority: Authority, _: Path) -> dict[str, Path | str]:
    files = _pair(authority)
    Path(files["sslkey"]).chmod(0o644)
    return files


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (lambda _, folder: {"sslrootcert": folder / "x"}, "system: No such file or directory"),
        (lambda _, folder: {"sslrootcert": folder}, "must have an sslrootcert that is a file"),
        (lambda _, folder: {"sslrootcert": _garbage(folder)}, "it holds something else"),
        (lambda ca, _: {"sslcert": ca.roots}, "must have both sslcert and sslkey"),
        (lambda ca, _: {"sslkey": ca.roots}, "must have both sslcert and sslkey"),
        (lambda ca, folder: _pair(ca) | {"sslcert": _garbage(folder)}, "sslcert that is a file"),
        (lambda ca, folder: _pair(ca) | {"sslkey": folder / "x"}, "sslkey that can be read: No"),
        (lambda ca, folder: _pair(ca) | {"sslkey": folder}, "sslkey that can be read: Is a dir"),
        (_open_to_all, "sslkey that nobody else can read: chmod 600"),
        (lambda ca, _: _pair(ca) | {"sslcert": ca.sign("him")[0]}, "sslkey that fits its sslcert"),
        (lambda ca, folder: _pair(ca) | {"sslkey": _shut(folder)}, "sslkey that is a PEM file"),
        (lambda ca, _: _pair(ca, "pass phrase"), "its sslpassword if it is encrypted"),
        (lambda ca, _: _pair(ca, "pass phrase") | {"sslpassword": "no"}, "its sslpassword if"),
    ],
    ids=[
        "no roots",
        "roots are a folder",
        "roots are no PEM",
        "certificate alone",
        "key alone",
        "certificate is no PEM",
        "no key",
        "key is a folder",
        "key for all",
        "another key",
        "key is no PEM",
        "key without password",
        "key with a wrong one",
    ],
)
def test_a_file_that_is_none_is_one_sentence(
    files: Files, told: str, authority: Authority, tmp_path: Path
) -> None:
    parameters = "&".join(f"{name}={path}" for name, path in files(authority, tmp_path).items())
    parameters = parameters.replace(" ", "%20")
    found = refusal(DATABASE_URL=f"{URL}?sslmode=require&{parameters}")
    assert found.startswith("DATABASE_URL must ")
    assert told in found
    assert ";" not in found


def _shut(folder: Path) -> Path:
    path = _garbage(folder)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("variable", "same", "other"),
    [
        ("POSTGRES_HOST", "db", "localhost"),
        ("POSTGRES_PORT", "5433", "5432"),
        ("POSTGRES_USER", "me", "postgres"),
        ("POSTGRES_PASSWORD", PASSWORD, "8 lives/of 1 cat"),
        ("POSTGRES_DB", "genai", "postgres"),
        ("DB_NAME", "genai", "postgres"),
        ("POSTGRES_SSLMODE", "require", "prefer"),
    ],
)
def test_variables_beside_the_url_may_say_the_same_only(
    variable: str, same: str, other: str
) -> None:
    url = f"{URL}?sslmode=require"
    assert read(DATABASE_URL=url, **{variable: same}).database_url == url
    name = "POSTGRES_DB" if variable == "DB_NAME" else variable
    told = f"DATABASE_URL says something else than {name}: give one or the other"
    assert refusal(DATABASE_URL=url, **{variable: other}) == told


def test_without_both_it_is_the_password_that_is_missing() -> None:
    assert refusal() == "POSTGRES_PASSWORD is missing"
    assert refusal(DATABASE_URL="") == "POSTGRES_PASSWORD is missing"


@pytest.mark.parametrize("password", ["postgres", "change%5Fme", "%73ecret"])
def test_a_password_in_the_url_can_be_guessed_like_any_other(password: str) -> None:
    url = f"postgresql://me:{password}@db/genai"
    assert refusal(DATABASE_URL=url) == "DATABASE_URL can be guessed"
    assert read(DATABASE_URL=url, ALLOW_KNOWN_SECRETS="true").postgres.user == "me"


def test_a_client_with_a_certificate_needs_no_password() -> None:
    assert read(DATABASE_URL="postgresql://me@db/genai").postgres.password is None


@pytest.mark.parametrize("in_url", [True, False], ids=["URL", "variables"])
def test_passwords_are_hidden_quoted_and_unquoted(in_url: bool) -> None:
    given = {"DATABASE_URL": URL} if in_url else {"POSTGRES_PASSWORD": PASSWORD}
    others = {**make_secrets(), "POSTGRES_PASSWORD": ""}
    settings = read_settings({**others, **given}, Settings)
    assert {PASSWORD, QUOTED} <= set(settings.secret_texts)
    for text in (repr(settings), repr(settings.postgres), settings.postgres.place):
        assert PASSWORD not in text
        assert QUOTED not in text


def test_the_password_of_a_key_is_hidden_too(authority: Authority) -> None:
    files = _pair(authority, "pass phrase") | {"sslpassword": "pass%20phrase"}
    query = "&".join(f"{name}={path}" for name, path in files.items())
    url = f"{URL}?sslmode=require&{query}".replace(" ", "%20")
    address = read(DATABASE_URL=url).postgres
    assert {"pass phrase", "pass%20phrase"} <= set(address.secrets)
    assert "phrase" not in repr(address)
