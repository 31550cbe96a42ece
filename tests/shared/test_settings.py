"""The settings: complete, or refused with every fault at once."""

from base64 import b64encode
from pathlib import Path

import pytest

from shared.settings import (
    PostgresSettings,
    Settings,
    SettingsError,
    load_settings,
    read_settings,
)

KEYS = [bytes([number]) * 32 for number in (1, 2)]
GOOD = {
    "SECRET_KEY": "s" * 32,
    "ENCRYPTION_KEYS": ", ".join(b64encode(key).decode() for key in KEYS),
    "MASTER_BE_API_KEY": "b" * 16,
}


def refusal(**variables: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read_settings({**GOOD, **variables}, Settings)
    return str(caught.value)


def test_three_secrets_are_enough() -> None:
    settings = read_settings(GOOD, Settings)
    assert (settings.gateway_port, settings.router_ws_url) == (8000, "ws://localhost:8080/ws")


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
    ],
)
def test_a_bad_value_is_refused_without_being_repeated(variable: str, value: str) -> None:
    text = refusal(**{variable: value})
    assert text.startswith(f"{variable} ")
    assert value not in text


def test_an_empty_variable_counts_as_not_given() -> None:
    settings = read_settings({**GOOD, "GATEWAY_PORT": "", "MASTER_AGENT_API_KEY": ""}, Settings)
    assert (settings.gateway_port, settings.master_agent_api_key) == (8000, None)


@pytest.mark.parametrize(
    "secret", ["secret_key", "encryption_keys", "master_be_api_key", "postgres_password"]
)
def test_a_secret_is_not_in_the_representation(secret: str) -> None:
    assert secret not in repr(read_settings(GOOD, Settings))


def test_the_parts_of_the_database_url_are_quoted() -> None:
    settings = read_settings(
        {"POSTGRES_PASSWORD": "a@b/c:d", "POSTGRES_DB": "x?y"}, PostgresSettings
    )
    assert settings.database_url == "postgresql://postgres:a%40b%2Fc%3Ad@localhost:5432/x%3Fy"


def test_origins_are_words_between_commas() -> None:
    settings = read_settings({**GOOD, "BACKEND_CORS_ORIGINS": "http://a, http://b"}, Settings)
    assert settings.backend_cors_origins == ("http://a", "http://b")


@pytest.fixture
def dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = {"POSTGRES_HOST": "from-file", "POSTGRES_USER": "from-file"}
    (tmp_path / ".env").write_text("".join(f"{name}={text}\n" for name, text in lines.items()))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POSTGRES_USER", raising=False)
    monkeypatch.setenv("POSTGRES_HOST", "from-environment")


@pytest.mark.usefixtures("dotenv")
def test_the_environment_wins_over_the_dotenv_file() -> None:
    assert load_settings(PostgresSettings).postgres_host == "from-environment"


@pytest.mark.usefixtures("dotenv")
def test_the_dotenv_file_gives_what_the_environment_lacks() -> None:
    assert load_settings(PostgresSettings).postgres_user == "from-file"
