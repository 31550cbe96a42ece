"""The report says what would be done, and does nothing."""

import secrets
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from psycopg import Connection

from shared.upgrade.migrate import main, migrate
from tests.migrations.catalogue import read_tables
from tests.migrations.rows import insert
from tests.migrations.test_migrations import select_original_columns
from tests.original import (
    LONG_PASSWORD,
    OLD_SECRET,
    Owner,
    create_tables,
    encrypt_key,
    insert_owner,
)

NEW_SECRET = secrets.token_hex(16)


@pytest.fixture
def installed(
    variables_of: None, complete: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Path:
    """The environment of a whole installation; returns its folder of files."""
    folder = tmp_path / "files"
    for name, value in {**complete, "DEFAULT_FILES_FOLDER_NAME": str(folder)}.items():
        monkeypatch.setenv(name, value)
    return folder


@pytest.fixture
def owner(original: Connection) -> Owner:
    """Two users, one of them with what needs care."""
    insert_owner(original)
    owner = insert_owner(original, LONG_PASSWORD)
    insert(original, "users", {"id": uuid4(), "username": "odd", "password": "plain"})
    owner.insert("a2acards", server_url="u", card_content="null", is_active=False)
    owner.insert_log("somebody's", session=uuid4())
    return owner


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert main(["--report"]) == 0
    return [line.strip() for line in capsys.readouterr().out.splitlines()]


def provider(owner: Owner, name: str, key: str) -> UUID:
    return owner.insert("modelproviders", name=name, api_key=key, provider_metadata={})


def test_everything_is_counted_and_what_needs_care_is_named(
    owner: Owner, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = provider(owner, "lost", encrypt_key("k", "another secret"))
    plain = provider(owner, "plain", "sk-plain")
    installed.mkdir()
    (installed / f"{owner.file}.txt").write_text("x")
    lines = told(capsys)
    assert "A database of the original at revision 8403bb364491." in lines
    assert "Settings: complete." in lines
    assert {"3 users", "2 agents", "2 chats", "4 messages", "5 log entries"} <= set(lines)
    assert "2 are bcrypt's, each until its user logs in" in lines
    assert "1 are neither: their users can't log in" in lines
    assert "2 are good under SECRET_KEY and stay" in lines
    assert "3 will be encrypted anew, and hidden in their owners' logs" in lines
    assert f"1 of them are in plain text: {plain}" in lines
    [closed] = [line for line in lines if str(lost) in line]
    assert closed.startswith("1 can't be decrypted")
    assert "1 are there and stay where they are" in lines
    assert any(line.startswith("1 are missing: ") for line in lines)
    assert any(line.startswith("1 A2A cards") for line in lines)
    assert any(line.startswith("1 log entries without chat") for line in lines)


@pytest.mark.usefixtures("installed")
def test_no_secret_is_told(owner: Owner, capsys: pytest.CaptureFixture[str]) -> None:
    plain = f"sk-plain-{uuid4()}"
    provider(owner, "plain", plain)
    text = "\n".join(told(capsys))
    for secret in (OLD_SECRET, owner.api_key, plain, owner.token, "$2b$"):
        assert secret not in text


def test_nothing_is_changed(
    owner: Owner, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables, rows = read_tables(owner.connection), select_original_columns(owner.connection)
    told(capsys)
    assert read_tables(owner.connection) == tables
    assert select_original_columns(owner.connection) == rows
    assert not installed.exists()


@pytest.mark.usefixtures("installed", "owner")
def test_tokens_that_a_new_secret_ends_are_counted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", NEW_SECRET)
    monkeypatch.setenv("ORIGINAL_SECRET_KEY", OLD_SECRET)
    lines = told(capsys)
    assert "2 are not: a new one is stored, and has to be given to the agent" in lines
    assert "2 will be encrypted anew, and hidden in their owners' logs" in lines


@pytest.mark.usefixtures("installed", "owner")
def test_settings_that_are_not_complete_are_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "short")
    monkeypatch.setenv("ENCRYPTION_KEYS", "")
    text = " ".join(told(capsys))
    assert "SECRET_KEY must have at least 32 bytes; ENCRYPTION_KEYS is missing" in text
    assert "as ORIGINAL_SECRET_KEY: agents then need the new tokens" in text
    assert "2 are not: a new one is stored" in text


@pytest.mark.usefixtures("installed", "owner")
def test_what_was_taken_over_needs_nothing_more(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 0
    assert "2 provider keys encrypted anew" in capsys.readouterr().out
    lines = told(capsys)
    assert "0 will be encrypted anew, and hidden in their owners' logs" in lines
    assert "2 are encrypted with ENCRYPTION_KEYS already" in lines
    repairs = lines[
        lines.index("To be repaired:") + 1 : lines.index("Kept, but reached by nobody:")
    ]
    assert [line for line in repairs if not line.startswith("0 ")] == []
    assert main([]) == 0
    assert capsys.readouterr().out == "nothing to apply\n"
    assert migrate(database) == []


@pytest.mark.usefixtures("installed")
def test_a_database_that_is_not_the_originals_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    [line] = told(capsys)
    assert "nothing to take over" in line


@pytest.mark.usefixtures("installed")
def test_another_revision_is_told(
    connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    create_tables(connection, "0123456789ab")
    [line] = told(capsys)
    assert "0123456789ab" in line
