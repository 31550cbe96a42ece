"""The settings: complete, or refused with every fault at once."""

import json
from base64 import b64encode
from pathlib import Path

import pytest

from shared.settings.bridge import BridgeSettings
from shared.settings.common import CommonSettings, PostgresSettings
from shared.settings.gateway import GatewaySettings
from shared.settings.installation import Settings
from shared.settings.reading import SettingsError, load_settings, read_settings
from tests.system import make_secrets

KEYS = [bytes(range(first, first + 32)) for first in (1, 2)]
KEYS_TEXT = [b64encode(key).decode() for key in KEYS]
GOOD = {
    "POSTGRES_PASSWORD": "9 lives of 1 cat",
    "SECRET_KEY": "all the stars of the southern sky",
    "ENCRYPTION_KEYS": ", ".join(KEYS_TEXT),
    "MASTER_BE_API_KEY": "seven blue bicycles",
}
SERVICE_KEY = "five hundred paper lanterns"
PUBLISHED = {
    "SECRET_KEY": "c41302ce0f1758f4ae5dcc65729fd50a",
    "MASTER_BE_API_KEY": "7a3fd399-3e48-46a0-ab7c-0eaf38020283::master_server_be",
    "MASTER_AGENT_API_KEY": "e1adc3d8-fca1-40b2-b90a-7b48290f2d6a::master_server_ml",
    "SERVICE_API_KEY": "very-secret-service-key",
    "POSTGRES_PASSWORD": "postgres",
}


def refusal(**variables: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read_settings({**GOOD, **variables}, Settings)
    return str(caught.value)


def test_four_secrets_are_enough() -> None:
    settings = read_settings(GOOD, Settings)
    assert (settings.gateway_port, settings.router_ws_url) == (8000, "ws://localhost:8080/ws")


@pytest.mark.parametrize(
    ("theirs", "variable"),
    [(GatewaySettings, "ROUTER_LANES"), (BridgeSettings, "MAX_FILE_BYTES")],
)
def test_a_fault_in_a_setting_of_the_other_service_is_none(
    theirs: type[CommonSettings], variable: str
) -> None:
    assert "must be a whole number" in refusal(**{variable: "many"})
    assert read_settings({**GOOD, variable: "many"}, theirs).database_pool_size == 10


def test_encryption_keys_keep_their_order() -> None:
    assert read_settings(GOOD, Settings).encryption_keys == tuple(KEYS)


@pytest.mark.parametrize("variable", GOOD)
def test_a_secret_has_no_default(variable: str) -> None:
    assert refusal(**{variable: ""}) == f"{variable} is missing"


def test_all_faults_are_named_at_once() -> None:
    text = refusal(SECRET_KEY="", GATEWAY_PORT="x", DEBUG="maybe", REDIS_URL="http://h")
    for variable in ("SECRET_KEY", "GATEWAY_PORT", "DEBUG", "REDIS_URL"):
        assert variable in text


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SECRET_KEY", "tooshort"),
        ("MASTER_BE_API_KEY", "shortkey"),
        ("MASTER_AGENT_API_KEY", "shortkey"),
        ("SERVICE_API_KEY", "shortkey"),
        ("ENCRYPTION_KEYS", "nobase64!"),
        ("ENCRYPTION_KEYS", b64encode(b"shortkey").decode()),
        ("ENCRYPTION_KEYS", "é" * 8),
        ("ENCRYPTION_KEYS", " , ,"),
        ("GATEWAY_PORT", "eighty"),
        ("GATEWAY_PORT", "0"),
        ("GATEWAY_PORT", "-1"),
        ("DATABASE_POOL_SIZE", "1.5"),
        ("REQUEST_TIMEOUT", "nan"),
        ("REQUEST_TIMEOUT", "inf"),
        ("REQUEST_TIMEOUT", "0"),
        ("REQUEST_TIMEOUT", "soon"),
        ("DEBUG", "maybe"),
        ("REDIS_URL", "http://somewhere"),
        ("REDIS_URL", "nowhere"),
        ("ROUTER_WS_URL", "http://somewhere"),
        ("ROUTER_WS_URL", "ws://"),
        ("ROUTER_WS_URL", "ws://[half"),
        ("MASTER_AGENT_CONTRACT", "other"),
        ("FILES_URL", "https://somewhere"),
        ("FILES_URL", "s3:///prefix"),
        ("MAX_FILE_BYTES", "100M"),
        ("SOCKETS_PER_USER", "-1"),
        ("TRUSTED_PROXIES", "proxy.local"),
        ("TRUSTED_PROXIES", "*"),
    ],
)
def test_a_bad_value_is_refused_without_being_repeated(variable: str, value: str) -> None:
    text = refusal(**{variable: value})
    assert text.startswith(f"{variable} ")
    assert value not in text


@pytest.mark.parametrize("variable", PUBLISHED)
def test_a_published_secret_is_refused_without_being_repeated(variable: str) -> None:
    assert refusal(**{variable: PUBLISHED[variable]}) == f"{variable} can be guessed"


def test_all_published_secrets_are_named_at_once() -> None:
    text = refusal(**PUBLISHED)
    assert {fault.split()[0] for fault in text.split("; ")} == PUBLISHED.keys()


@pytest.mark.parametrize(
    "secret",
    ["s" * 40, "changeme" * 5, "your-secret-key-here-please-1234", "1234567890" * 4, "abc" * 12],
)
def test_an_obvious_secret_is_refused(secret: str) -> None:
    assert refusal(SECRET_KEY=secret) == "SECRET_KEY can be guessed"


@pytest.mark.parametrize("password", ["secret", "a", "Postgres123", "change_me!", "12345678" * 2])
def test_an_obvious_password_is_refused(password: str) -> None:
    assert refusal(POSTGRES_PASSWORD=password) == "POSTGRES_PASSWORD can be guessed"


def test_an_encryption_key_of_one_byte_over_and_over_is_refused() -> None:
    keys = f"{GOOD['ENCRYPTION_KEYS']},{b64encode(bytes(32)).decode()}"
    assert refusal(ENCRYPTION_KEYS=keys) == "ENCRYPTION_KEYS can be guessed"


def test_random_secrets_are_taken() -> None:
    for _ in range(1000):
        read_settings(make_secrets(), Settings)


def test_a_known_secret_is_taken_where_a_setting_allows_it() -> None:
    variables = {**GOOD, **PUBLISHED, "ALLOW_KNOWN_SECRETS": "true"}
    assert read_settings(variables, Settings).secret_key == PUBLISHED["SECRET_KEY"]


def test_a_limit_may_be_off() -> None:
    assert read_settings({**GOOD, "SOCKETS_PER_USER": "0"}, Settings).sockets_per_user == 0


@pytest.mark.parametrize("text", ["-1", "many", "1.5", "²"])
def test_what_is_no_limit_is_refused(text: str) -> None:
    told = refusal(RETENTION_DAYS=text)
    assert told == "RETENTION_DAYS must be a whole number, 0 for no limit"


@pytest.mark.parametrize(("text", "usd"), [("0", 0), ("25", 25), ("12.50", 12.5), ("0.001", 0.001)])
def test_a_budget_is_an_amount(text: str, usd: float) -> None:
    assert read_settings({**GOOD, "MONTHLY_BUDGET": text}, Settings).monthly_budget == usd


@pytest.mark.parametrize("text", ["-1", "$5", "1,000", "1e3", "nan", "infinity", ".5", "²"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    told = refusal(MONTHLY_BUDGET=text)
    assert told == "MONTHLY_BUDGET must be an amount like 25 or 12.50, 0 for none"


def test_proxies_are_addresses_and_networks() -> None:
    variables = {**GOOD, "TRUSTED_PROXIES": "10.0.0.7, 172.16.0.0/12, fd00::/8"}
    proxies = read_settings(variables, Settings).trusted_proxies
    assert proxies == ("10.0.0.7/32", "172.16.0.0/12", "fd00::/8")


def test_an_empty_variable_counts_as_not_given() -> None:
    settings = read_settings({**GOOD, "GATEWAY_PORT": "", "MASTER_AGENT_API_KEY": ""}, Settings)
    assert (settings.gateway_port, settings.master_agent_api_key) == (8000, None)


@pytest.mark.parametrize(
    "secret",
    ["secret_key", "encryption_keys", "master_be_api_key", "service_api_key", "postgres_password"],
)
def test_a_secret_is_not_in_the_representation(secret: str) -> None:
    assert secret not in repr(read_settings(GOOD, Settings))


def test_the_key_of_services_is_hidden_wherever_the_others_are() -> None:
    settings = read_settings({**GOOD, "SERVICE_API_KEY": SERVICE_KEY}, Settings)
    assert SERVICE_KEY in settings.secret_texts
    assert SERVICE_KEY in settings.service_keys


def test_a_gateway_needs_one_of_the_keys_that_open_the_routes_for_services() -> None:
    without = {**GOOD, "MASTER_BE_API_KEY": ""}
    with pytest.raises(SettingsError, match=r"^SERVICE_API_KEY is missing$"):
        read_settings(without, GatewaySettings)
    settings = read_settings({**without, "SERVICE_API_KEY": SERVICE_KEY}, GatewaySettings)
    assert settings.key_of_services == SERVICE_KEY
    assert read_settings(GOOD, GatewaySettings).key_of_services == GOOD["MASTER_BE_API_KEY"]


def test_a_bridge_needs_the_router_s_key() -> None:
    variables = {**GOOD, "MASTER_BE_API_KEY": "", "SERVICE_API_KEY": SERVICE_KEY}
    with pytest.raises(SettingsError, match=r"^MASTER_BE_API_KEY is missing$"):
        read_settings(variables, BridgeSettings)


@pytest.mark.parametrize("variable", ["MASTER_BE_API_KEY", "MASTER_AGENT_API_KEY"])
def test_the_key_of_services_is_no_other_one(variable: str) -> None:
    told = refusal(**{variable: SERVICE_KEY}, SERVICE_API_KEY=SERVICE_KEY)
    assert told == "SERVICE_API_KEY is another key too"


def test_where_agents_are_let_in_the_master_agent_s_key_must_be_given() -> None:
    assert refusal(AGENTS_PORT="8090") == "MASTER_AGENT_API_KEY is missing"
    given = {**GOOD, "AGENTS_PORT": "8090", "MASTER_AGENT_API_KEY": "eleven green scooters"}
    assert read_settings(given, BridgeSettings).agents_port == 8090


@pytest.mark.parametrize("text", ["", "0"])
def test_agents_are_let_in_only_where_a_port_is_given(text: str) -> None:
    assert read_settings({**GOOD, "AGENTS_PORT": text}, BridgeSettings).agents_port == 0


def test_the_parts_of_the_database_url_are_quoted() -> None:
    variables = {"POSTGRES_PASSWORD": "a@bird/c:dog", "POSTGRES_DB": "x?y"}
    settings = read_settings(variables, PostgresSettings)
    assert settings.database_url == "postgresql://postgres:a%40bird%2Fc%3Adog@localhost:5432/x%3Fy"


@pytest.mark.parametrize(
    ("text", "host", "in_url"),
    [
        ("db.internal", "db.internal", "db.internal"),
        ("my_db", "my_db", "my_db"),
        ("10.0.0.7", "10.0.0.7", "10.0.0.7"),
        ("::1", "::1", "[::1]"),
        ("[FD00:0::7]", "fd00::7", "[fd00::7]"),
        ("fe80::1%eth0", "fe80::1%eth0", "[fe80::1%25eth0]"),
        ("/run/My Folder", "/run/My Folder", "%2Frun%2FMy%20Folder"),
    ],
)
def test_postgresql_is_at_a_name_an_address_or_a_socket(text: str, host: str, in_url: str) -> None:
    variables = {"POSTGRES_PASSWORD": "9 lives of 1 cat", "POSTGRES_HOST": text}
    settings = read_settings(variables, PostgresSettings)
    assert settings.postgres_host == host
    assert f"@{in_url}:5432/" in settings.database_url


@pytest.mark.parametrize(
    "variable", ["POSTGRES_HOST", "GATEWAY_HOST", "BRIDGE_HOST", "AGENTS_HOST"]
)
@pytest.mark.parametrize(
    "text",
    ["db:5432", "[::1]:5432", "[::1", "1::2::3", "http://db", "me@db", "a b", "a,,b", "*", "db/x"],
)
def test_what_is_no_host_is_refused(variable: str, text: str) -> None:
    told = refusal(**{variable: text})
    assert told.startswith(f"{variable} must be ")
    assert told.endswith(", without a port")


@pytest.mark.parametrize("variable", ["GATEWAY_HOST", "BRIDGE_HOST", "METRICS_HOST"])
def test_an_address_to_listen_at_may_have_brackets(variable: str) -> None:
    settings = read_settings({**GOOD, variable: "[::]"}, Settings)
    assert getattr(settings, variable.lower()) == "::"


@pytest.mark.parametrize(
    "text",
    [
        "redis://localhost",
        "redis://[::1]:6379/2",
        "rediss://user:p%40ss@cache.internal:6380/0",
        "redis://localhost?db=3",
        "unix:///run/redis.sock?db=1&password=ninelives",
        "unix://user:pass@/run/redis.sock",
        "redis+sentinel://one:26379,two,[::1]:26380/mymaster",
        "redis+sentinel://user:p%2Css@one/mymaster/3?sentinel_password=nine",
        "rediss+sentinel://one/mymaster?ssl_ca_certs=/run/ca.pem&ssl_check_hostname=false",
        "redis+cluster://user:pass@one:6379,two/0",
        "rediss+cluster://one?ssl_certfile=/run/a.pem&ssl_keyfile=/run/a.key&ssl_cert_reqs=none",
    ],
)
def test_redis_is_at_a_url_or_a_socket(text: str) -> None:
    assert read_settings({**GOOD, "REDIS_URL": text}, Settings).redis_url == text


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("REDIS_URL", "redis://:pass/word@host"),
        ("REDIS_URL", "redis://:pass#word@host"),
        ("REDIS_URL", "redis://host:99999"),
        ("REDIS_URL", "redis://::1:6379"),
        ("REDIS_URL", "redis://host/zero"),
        ("REDIS_URL", "redis://host?db=zero"),
        ("REDIS_URL", "unix://run"),
        ("REDIS_URL", "unix://run/redis.sock"),
        ("REDIS_URL", "unix:///run/redis.sock?db=zero"),
        ("REDIS_URL", "redis://one,two"),
        ("REDIS_URL", "redis://[half"),
        ("REDIS_URL", "redis://host\n"),
        ("REDIS_URL", "redis://user@name:nine@host"),
        ("REDIS_URL", "redis://host?ssl_ca_certs=/run/ca.pem"),
        ("REDIS_URL", "redis://host?socket_timeout=nine"),
        ("REDIS_URL", "rediss://host?ssl_cert_reqs=maybe"),
        ("REDIS_URL", "rediss://host?ssl_check_hostname=maybe"),
        ("REDIS_URL", "rediss://host?ssl_certfile=/run/a.pem"),
        ("REDIS_URL", "redis+sentinel://one,two"),
        ("REDIS_URL", "redis+sentinel://one/mymaster/zero"),
        ("REDIS_URL", "redis+sentinel://one,/mymaster"),
        ("REDIS_URL", "redis+cluster://one,two/1"),
        ("REDIS_URL", "redis+cluster://one,two?sentinel_password=nine"),
        ("REDIS_URL", "sentinel://one/mymaster"),
        ("ROUTER_WS_URL", "router:8080/ws"),
        ("ROUTER_WS_URL", "ws://router:eighty/ws"),
        ("ROUTER_WS_URL", "ws://router:0/ws"),
        ("ROUTER_WS_URL", "ws://::1/ws"),
        ("ROUTER_WS_URL", "ws://rou ter/ws"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("POSTGRES_PORT", "70000"),
        ("GATEWAY_PORT", "65536"),
        ("BRIDGE_METRICS_PORT", "65536"),
        ("POSTGRES_PASSWORD", "nine\udcfflives of a cat"),
    ],
)
def test_what_can_not_be_an_address_is_one_sentence(variable: str, text: str) -> None:
    told = refusal(**{variable: text})
    assert told.startswith(f"{variable} must ")
    assert text not in told


def test_the_password_of_redis_is_a_secret_wherever_it_stands() -> None:
    urls = [
        "redis://:nine%2Flives@host",
        "unix:///run/redis.sock?password=nine%2Flives",
        "redis+sentinel://user:nine%2Flives@one,two/mymaster",
        "redis+sentinel://one,two/mymaster?sentinel_password=nine%2Flives",
    ]
    for url in urls:
        settings = read_settings({**GOOD, "REDIS_URL": url}, Settings)
        assert "nine/lives" in settings.secret_texts


def origins(text: str) -> tuple[str, ...]:
    return read_settings({**GOOD, "BACKEND_CORS_ORIGINS": text}, Settings).backend_cors_origins


@pytest.mark.parametrize(
    "text",
    [
        "http://a,https://b:8443",
        " http://a , https://b:8443 ,",
        '["http://a", "https://b:8443"]',
        ' ["http://a","https://b:8443"]\n',
        "http://a/, HTTPS://B:8443/",
        "http://a:80, https://b:8443",
    ],
)
def test_origins_are_between_commas_or_a_json_list_and_as_browsers_send_them(text: str) -> None:
    assert origins(text) == ("http://a", "https://b:8443")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*", ("*",)),
        ('["*"]', ("*",)),
        ("[]", ()),
        ("http://[0:0::1]:3000", ("http://[::1]:3000",)),
        ("capacitor://localhost", ("capacitor://localhost",)),
        ('["http://localhost:3000"]', ("http://localhost:3000",)),
    ],
)
def test_an_origin_is_what_it_says(text: str, expected: tuple[str, ...]) -> None:
    assert origins(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "localhost:3000",
        "http://a/path",
        "http://a?b",
        "http://user@a",
        "http://:pass@a",
        "http://a:99999",
        "https://*.example.com",
        "https://bücher.example",
        "http://a http://b",
        "null",
        '"http://a"',
        "['http://a']",
        '["http://a"',
        '["http://a", 1]',
        '["localhost"]',
    ],
)
def test_what_is_no_origin_is_refused_at_the_start(text: str) -> None:
    told = refusal(BACKEND_CORS_ORIGINS=text)
    assert told.startswith("BACKEND_CORS_ORIGINS must be ")
    assert text not in told


@pytest.mark.parametrize("variable", ["TRUSTED_PROXIES", "ENCRYPTION_KEYS"])
def test_every_list_may_be_one_of_json(variable: str) -> None:
    words = {"TRUSTED_PROXIES": ["10.0.0.7/32", "fd00::/8"], "ENCRYPTION_KEYS": KEYS_TEXT}[variable]
    settings = [
        read_settings({**GOOD, variable: text}, Settings)
        for text in (json.dumps(words), ", ".join(words))
    ]
    assert settings[0] == settings[1]
    assert len(getattr(settings[0], variable.lower())) == 2


@pytest.mark.parametrize("text", ["true", "True", "1", "yes", "on", "T", "y"])
def test_what_says_yes_is_true(text: str) -> None:
    assert read_settings({**GOOD, "DEBUG": text}, Settings).debug


@pytest.mark.parametrize("text", ["false", "False", "0", "no", "OFF", "f", "n"])
def test_what_says_no_is_false(text: str) -> None:
    assert not read_settings({**GOOD, "DEBUG": text}, Settings).debug


def test_the_database_has_the_other_name_that_the_original_knows() -> None:
    given = {**GOOD, "DB_NAME": "other"}
    assert read_settings(given, Settings).postgres_db == "other"
    assert read_settings({**given, "POSTGRES_DB": "mine"}, Settings).postgres_db == "mine"
    assert read_settings(GOOD, Settings).postgres_db == "postgres"


@pytest.fixture
def dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = {"POSTGRES_HOST": "from-file", "POSTGRES_USER": "from-file"}
    (tmp_path / ".env").write_text("".join(f"{name}={text}\n" for name, text in lines.items()))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POSTGRES_USER", raising=False)
    monkeypatch.setenv("POSTGRES_HOST", "from-environment")
    monkeypatch.setenv("POSTGRES_PASSWORD", GOOD["POSTGRES_PASSWORD"])


@pytest.mark.usefixtures("dotenv")
def test_the_environment_wins_over_the_dotenv_file() -> None:
    assert load_settings(PostgresSettings).postgres_host == "from-environment"


@pytest.mark.usefixtures("dotenv")
def test_the_dotenv_file_gives_what_the_environment_lacks() -> None:
    assert load_settings(PostgresSettings).postgres_user == "from-file"
