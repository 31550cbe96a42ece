"""The original's provider keys, log entries and tokens in our form, as often as it is tried."""

import secrets
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from attrs import evolve
from psycopg import Connection
from psycopg.errors import AdminShutdown

import shared.upgrade.secrets
from devstack.postgres import PostgresServer
from shared.secrets import REDACTED, UndecryptableError, Vault
from shared.settings.reading import read_settings
from shared.tokens import Claims, issue_agent_token, read_token
from shared.upgrade.connecting import MigrationError
from shared.upgrade.migrate import migrate, take_over
from shared.upgrade.original import TakeoverSettings, decrypt_original_key, is_original_key
from shared.upgrade.report import describe_outcome
from shared.upgrade.secrets import Outcome
from tests.migrations.conftest import fresh_database, variables
from tests.original import OLD_SECRET, Owner, create_tables, encrypt_key, insert_owner

RECORDED = "t2h4NJ0Vhg==*hkRzjabrIMRFQ9Tnjj1qUQ==*NtIV07PLBiUEGjexU+tMhA==*1rqSOGaxBr7BRmp7tmAsrQ=="
RECORDED_SECRET = "c41302ce0f1758f4ae5dcc65729fd50a"
NEW_SECRET = secrets.token_hex(16)


@pytest.fixture(scope="module")
def adopted(postgres: PostgresServer) -> Iterator[str]:
    """A database of the original that was adopted; each test makes users of its own."""
    with fresh_database(postgres) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            create_tables(connection)
        migrate(url)
        yield url


@pytest.fixture
def settings(adopted: str, complete: dict[str, str]) -> TakeoverSettings:
    return read_settings({**variables(adopted), **complete}, TakeoverSettings)


@pytest.fixture
def owner(adopted: str) -> Iterator[Owner]:
    """Somebody of the original."""
    with psycopg.connect(adopted, autocommit=True) as connection:
        yield insert_owner(connection)
        connection.execute("DELETE FROM users")


def stored_key(owner: Owner, provider: UUID | None = None) -> str | None:
    """What is stored as a provider's key."""
    rows = owner.connection.execute(
        "SELECT api_key FROM modelproviders WHERE id = %s", [provider or owner.provider]
    )
    [(stored,)] = rows
    return stored if stored is None else str(stored)


def opened_key(owner: Owner, settings: TakeoverSettings, provider: UUID | None = None) -> str:
    stored = stored_key(owner, provider)
    assert stored is not None
    place = "modelproviders", provider or owner.provider, "api_key"
    return Vault(settings.encryption_keys).decrypt(stored, *place)


def insert_provider(owner: Owner, name: str, api_key: str | None) -> UUID:
    return owner.insert("modelproviders", name=name, api_key=api_key, provider_metadata={})


def logged(owner: Owner) -> str:
    """All that is logged in the owner's chat."""
    rows = owner.connection.execute(
        "SELECT message FROM logs WHERE session_id = %s ORDER BY id", [owner.chat]
    )
    return "\n".join(message for (message,) in rows)


def test_a_key_that_was_recorded_is_decrypted() -> None:
    assert is_original_key(RECORDED)
    assert decrypt_original_key(RECORDED, RECORDED_SECRET) == "sk-test"


@pytest.mark.parametrize(
    ("stored", "secret"),
    [
        (RECORDED, "another"),
        ("AAAA" + RECORDED[4:], RECORDED_SECRET),
        ("A*A*A*A", RECORDED_SECRET),
        ("a*b", RECORDED_SECRET),
        ("*" + RECORDED.split("*", 1)[1], RECORDED_SECRET),
    ],
)
def test_another_secret_or_text_is_refused(stored: str, secret: str) -> None:
    with pytest.raises(UndecryptableError):
        decrypt_original_key(stored, secret)


def test_keys_are_encrypted_for_their_rows(owner: Owner, settings: TakeoverSettings) -> None:
    other = insert_provider(owner, "other", encrypt_key("sk-other-é"))
    assert take_over(settings).encrypted == 2
    assert opened_key(owner, settings) == owner.api_key
    assert opened_key(owner, settings, other) == "sk-other-é"


def test_a_key_without_owner_is_encrypted_too(owner: Owner, settings: TakeoverSettings) -> None:
    nobodys = insert_provider(owner, "nobody's", encrypt_key("sk-nobody"))
    owner.connection.execute("UPDATE modelproviders SET creator_id = NULL WHERE id = %s", [nobodys])
    take_over(settings)
    assert opened_key(owner, settings, nobodys) == "sk-nobody"


def test_a_second_run_does_nothing(owner: Owner, settings: TakeoverSettings) -> None:
    take_over(settings)
    stored = stored_key(owner)
    assert take_over(settings) == Outcome()
    assert stored_key(owner) == stored


def test_no_key_stays_none_and_an_empty_one_becomes_none(
    owner: Owner, settings: TakeoverSettings
) -> None:
    none, empty = insert_provider(owner, "none", None), insert_provider(owner, "empty", "")
    sealed = insert_provider(owner, "sealed", encrypt_key(""))
    take_over(settings)
    assert [stored_key(owner, each) for each in (none, empty, sealed)] == [None, "", None]


def test_a_key_in_plain_text_is_encrypted_and_named(
    owner: Owner, settings: TakeoverSettings
) -> None:
    plain = insert_provider(owner, "plain", "sk-plain")
    outcome = take_over(settings)
    assert outcome.plain == [plain]
    assert opened_key(owner, settings, plain) == "sk-plain"


def test_an_undecryptable_key_stays_and_is_named_until_its_secret_is_given(
    owner: Owner, settings: TakeoverSettings
) -> None:
    stored = encrypt_key("sk-lost", "another secret")
    lost = insert_provider(owner, "lost", stored)
    outcome = take_over(settings)
    assert (outcome.encrypted, outcome.undecryptable) == (1, [lost])
    assert stored_key(owner, lost) == stored
    [line] = [line for line in describe_outcome(outcome) if str(lost) in line]
    assert stored not in line
    assert take_over(settings) == Outcome(undecryptable=[lost])
    found = take_over(evolve(settings, original_secret_key="another secret"))
    assert (found.encrypted, found.undecryptable) == (1, [])
    assert opened_key(owner, settings, lost) == "sk-lost"


def test_the_originals_secret_may_be_short(owner: Owner, settings: TakeoverSettings) -> None:
    short = insert_provider(owner, "short", encrypt_key("sk-short", "s"))
    take_over(evolve(settings, original_secret_key="s", secret_key=NEW_SECRET))
    assert opened_key(owner, settings, short) == "sk-short"


def test_keys_are_hidden_in_their_owners_old_log_entries(
    owner: Owner, settings: TakeoverSettings
) -> None:
    other = insert_owner(owner.connection)
    owner.insert_log(f"{owner.api_key} token-{owner.id}")
    owner.insert_log(f"theirs: {other.api_key}", session=other.chat)
    outcome = take_over(settings)
    assert outcome.redacted_logs == 4
    text = logged(owner)
    assert owner.api_key not in text
    assert f"{REDACTED} {REDACTED}" in text
    assert "no secret" in text
    assert other.api_key not in logged(other)


def test_a_token_that_is_good_stays(owner: Owner, settings: TakeoverSettings) -> None:
    take_over(settings)
    [(token,)] = owner.connection.execute("SELECT jwt FROM agents WHERE id = %s", [owner.agent])
    assert token == owner.token


def test_a_token_that_has_expired_stays_so(owner: Owner, settings: TakeoverSettings) -> None:
    expired = issue_agent_token(OLD_SECRET, owner.agent, owner.id, -1)
    owner.connection.execute("UPDATE agents SET jwt = %s WHERE id = %s", [expired, owner.agent])
    assert take_over(settings).new_tokens == 0
    [(token,)] = owner.connection.execute("SELECT jwt FROM agents WHERE id = %s", [owner.agent])
    assert token == expired


def test_under_a_new_secret_agents_get_new_tokens(owner: Owner, settings: TakeoverSettings) -> None:
    changed = evolve(settings, secret_key=NEW_SECRET, original_secret_key=OLD_SECRET)
    outcome = take_over(changed)
    assert (outcome.encrypted, outcome.new_tokens) == (1, 1)
    [(token,)] = owner.connection.execute("SELECT jwt FROM agents WHERE id = %s", [owner.agent])
    assert read_token(NEW_SECRET, token) == Claims(owner.id, owner.agent)
    assert take_over(changed).new_tokens == 0


def test_one_that_is_killed_in_the_middle_goes_on_where_it_was(
    owner: Owner, settings: TakeoverSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection ends when the logs of one of the two owners are hidden, the keys not yet."""
    other = insert_owner(owner.connection)
    original = shared.upgrade.secrets._update_key
    done: list[UUID] = []

    def update(connection: Connection, vault: Vault, key: shared.upgrade.secrets.OpenedKey) -> None:
        if done:
            owner.connection.execute(
                "SELECT pg_terminate_backend(%s)", [connection.info.backend_pid]
            )
        original(connection, vault, key)
        done.append(key.provider_id)

    monkeypatch.setattr(shared.upgrade.secrets, "_update_key", update)
    with pytest.raises(MigrationError, match="terminat") as raised:
        take_over(settings)
    assert isinstance(raised.value.__cause__, AdminShutdown)
    first, second = (owner, other) if done == [owner.provider] else (other, owner)
    assert opened_key(first, settings) == first.api_key
    assert first.api_key not in logged(first)
    assert is_original_key(str(stored_key(second)))
    assert second.api_key in logged(second)
    monkeypatch.undo()
    assert take_over(settings).encrypted == 1
    assert opened_key(second, settings) == second.api_key
    assert second.api_key not in logged(second)
