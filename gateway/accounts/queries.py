"""Users in PostgreSQL."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from attrs import field, frozen
from databases.core import Connection
from msgspec import UNSET

from gateway.accounts.names import FOLDED_LIMIT
from gateway.accounts.schemas import Profile, ProfileChanges, User
from shared.postgres.pool import columns

NO_PASSWORD = "-"  # noqa: S105 (stored of who has none: no password has this hash)


@frozen
class Credentials:
    """What a login is checked against."""

    id: UUID
    password: str


async def insert_user(connection: Connection, username: str, password_hash: str) -> User | None:
    """The new user with an empty profile and the project "Default".

    None: somebody has this name, or one that looks the same.
    """
    sql = """
        WITH added AS (
            INSERT INTO users (id, username, password, has_clean_name)
            SELECT CAST(:id AS uuid), CAST(:username AS varchar), :password, true
            WHERE NOT EXISTS (SELECT FROM users WHERE folded_name = fold_name(:username))
            ON CONFLICT DO NOTHING
            RETURNING id, username, created_at, updated_at
        ), project AS (
            INSERT INTO projects (id, name)
            SELECT CAST(:project_id AS uuid), 'Default' FROM added
            RETURNING id
        ), membership AS (
            INSERT INTO user_project_associations (user_id, project_id)
            SELECT added.id, project.id FROM added, project
        ), profile AS (
            INSERT INTO userprofiles (id, user_id)
            SELECT CAST(:profile_id AS uuid), id FROM added
        )
        SELECT id, username, created_at, updated_at FROM added
    """
    values = {
        "id": uuid4(),
        "username": username,
        "password": password_hash,
        "project_id": uuid4(),
        "profile_id": uuid4(),
    }
    row = await connection.fetch_one(sql, values)
    return User(**columns(row)) if row else None


@frozen
class Named:
    """Who is meant by a name."""

    credentials: Credentials | None
    some_have_bcrypt: bool
    """Whether some user's hash is still one of the original installation."""


async def select_named(connection: Connection, usernames: Sequence[str]) -> list[Named]:
    """For each name who has exactly this one, or alone has one that looks so."""
    sql = """
        SELECT found.id, found.password, bcrypt.exists AS some_have_bcrypt
        FROM (SELECT EXISTS (SELECT FROM users WHERE password LIKE '$2%')) AS bcrypt
        CROSS JOIN unnest(CAST(:usernames AS text[]), CAST(:foldables AS text[]))
            WITH ORDINALITY AS typed (username, foldable, position)
        LEFT JOIN LATERAL (
            SELECT id, password, username = typed.username AS is_exact, count(*) OVER () AS alike
            FROM users
            WHERE username = typed.username OR folded_name = fold_name(typed.foldable)
            ORDER BY is_exact DESC LIMIT 1
        ) AS found ON is_exact OR alike = 1
        ORDER BY position
    """
    foldables = [name if len(name) <= FOLDED_LIMIT else None for name in usernames]
    values = {"usernames": list(usernames), "foldables": foldables}
    return [
        Named(
            Credentials(row["id"], row["password"]) if row["id"] else None,
            row["some_have_bcrypt"],
        )
        for row in await connection.fetch_all(sql, values)
    ]


async def update_password(
    connection: Connection, credentials: Credentials, new_hash: str, actor: str
) -> None:
    """Store another hash of the same password, unless it has been changed meanwhile."""
    sql = """
        UPDATE users SET password = :new_hash
        WHERE id = :id AND password = :password
          AND set_config('genai.actor', :actor, true) IS NOT NULL
    """
    values = {
        "id": credentials.id,
        "password": credentials.password,
        "new_hash": new_hash,
        "actor": actor,
    }
    await connection.execute(sql, values)


@frozen
class Own:
    """What a user has to know to change something of his account."""

    id: UUID
    username: str
    password: str = field(repr=False)


async def select_own(connection: Connection, owner: UUID) -> Own | None:
    """The user himself, as he is stored."""
    sql = "SELECT id, username, password FROM users WHERE id = :owner"
    row = await connection.fetch_one(sql, {"owner": owner})
    return Own(**columns(row)) if row else None


async def update_changed(connection: Connection, own: Own, new_hash: str) -> bool:
    """Store another password, unless it has been changed meanwhile."""
    sql = """
        UPDATE users SET password = :new_hash WHERE id = :id AND password = :password RETURNING id
    """
    values = {"id": own.id, "password": own.password, "new_hash": new_hash}
    return await connection.fetch_val(sql, values) is not None


async def select_profile(connection: Connection, owner: UUID, user_id: UUID) -> Profile | None:
    """The profile of a user, who must be the owner; an empty one where it was removed."""
    sql = """
        SELECT coalesce(profile.id, users.id) AS id, users.id AS user_id, first_name, last_name
        FROM users LEFT JOIN userprofiles AS profile ON profile.user_id = users.id
        WHERE users.id = :user_id AND users.id = :owner
    """
    row = await connection.fetch_one(sql, {"owner": owner, "user_id": user_id})
    return Profile(**columns(row)) if row else None


async def insert_profile(connection: Connection, owner: UUID, user_id: UUID) -> None:
    """The profile of a user, who must be the owner, where it was removed: empty, as at first."""
    sql = """
        INSERT INTO userprofiles (id, user_id)
        SELECT id, id FROM users WHERE id = :user_id AND id = :owner
        ON CONFLICT DO NOTHING
    """
    await connection.execute(sql, {"owner": owner, "user_id": user_id})


async def update_profile(
    connection: Connection, owner: UUID, user_id: UUID, changes: ProfileChanges
) -> Profile | None:
    """The profile of a user, who must be the owner, after the changes."""
    sql = """
        UPDATE userprofiles SET
            first_name = CASE WHEN :keeps_first THEN first_name ELSE :first_name END,
            last_name = CASE WHEN :keeps_last THEN last_name ELSE :last_name END
        WHERE user_id = :user_id AND user_id = :owner
        RETURNING id, user_id, first_name, last_name
    """
    values = {
        "owner": owner,
        "user_id": user_id,
        "keeps_first": changes.first_name is UNSET,
        "first_name": None if changes.first_name is UNSET else changes.first_name,
        "keeps_last": changes.last_name is UNSET,
        "last_name": None if changes.last_name is UNSET else changes.last_name,
    }
    row = await connection.fetch_one(sql, values)
    return Profile(**columns(row)) if row else None
