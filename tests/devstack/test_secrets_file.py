"""The stack's secrets are made once, kept, and readable by their owner only."""

from pathlib import Path

from devstack.secrets_file import complete_secrets, read_secrets
from shared.settings.installation import Settings
from shared.settings.reading import read_settings


def test_secrets_stay_from_start_to_start(tmp_path: Path) -> None:
    first = complete_secrets({}, tmp_path / "secrets.env")
    assert (
        complete_secrets({}, tmp_path / "secrets.env")
        == first
        == read_secrets(tmp_path / "secrets.env")
    )


def test_two_installations_share_no_secret(tmp_path: Path) -> None:
    one = complete_secrets({}, tmp_path / "one")
    other = complete_secrets({}, tmp_path / "other")
    assert not set(one.values()) & set(other.values())


def test_a_given_secret_is_used_and_not_kept(tmp_path: Path) -> None:
    given = {"SECRET_KEY": "given" * 10}
    assert complete_secrets(given, tmp_path / "secrets.env")["SECRET_KEY"] == "given" * 10
    assert "SECRET_KEY" not in read_secrets(tmp_path / "secrets.env")


def test_nobody_else_reads_the_secrets(tmp_path: Path) -> None:
    complete_secrets({}, tmp_path / "secrets.env")
    assert (tmp_path / "secrets.env").stat().st_mode & 0o777 == 0o600


def test_the_services_take_the_secrets(tmp_path: Path) -> None:
    secrets = complete_secrets({}, tmp_path / "secrets.env")
    assert read_settings(secrets, Settings).master_be_api_key == secrets["MASTER_BE_API_KEY"]


def test_the_demo_password_has_every_kind_of_character(tmp_path: Path) -> None:
    password = complete_secrets({}, tmp_path / "secrets.env")["DEMO_PASSWORD"]
    kinds = (str.isupper, str.islower, str.isdigit, lambda character: character == "-")
    assert all(any(map(kind, password)) for kind in kinds)
