"""Users in PostgreSQL."""

from uuid import UUID, uuid4

from attrs import frozen
from databases.core import Connection
from msgspec import UNSET

from gateway.accounts.names import fold
from gateway.accounts.schemas import Profile, ProfileChanges, User
from shared.postgres.pool import columns

BATCH_ROWS = 1000


@frozen
class Credentials:
    """What a login is checked against."""

    id: UUID
    password: str


async def insert_user(connection: Connection, username: str, password_hash: str) -> User | None:
    """The new user with an empty profile and the project "Default".

    None: somebody has this name, or one that looks the same.
    """
    await fold_names(connection)
    sql = """
        WITH added AS (
            INSERT INTO users (id, username, password, folded_name, has_clean_name)
            SELECT CAST(:id AS uuid), :username, :password, CAST(:folded AS varchar), true
            WHERE NOT EXISTS (SELECT FROM users WHERE folded_name = :folded)
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
        "folded": fold(username),
        "password": password_hash,
        "project_id": uuid4(),
        "profile_id": uuid4(),
    }
    row = await connection.fetch_one(sql, values)
    return User(**columns(row)) if row else None


async def select_credentials(
    connection: Connection, username: str
) -> tuple[Credentials | None, bool]:
    """The stored hash of a user: who has exactly this name, or alone has one that looks so.

    And whether some user's hash is still one of the original installation.
    """
    sql = """
        SELECT named.id, named.password, named.username = :username AS is_exact,
               bcrypt.exists AS some_have_bcrypt, folded.lack AS some_lack_folded
        FROM (SELECT EXISTS (SELECT FROM users WHERE password LIKE '$2%')) AS bcrypt
        CROSS JOIN (SELECT EXISTS (SELECT FROM users WHERE folded_name IS NULL) AS lack) AS folded
        LEFT JOIN users AS named ON named.username = :username OR named.folded_name = :folded
        ORDER BY is_exact DESC NULLS LAST LIMIT 2
    """
    values = {"username": username, "folded": fold(username)}
    rows = await connection.fetch_all(sql, values)
    if rows[0]["some_lack_folded"] and not rows[0]["is_exact"]:
        await fold_names(connection)
        rows = await connection.fetch_all(sql, values)
    is_found = rows[0]["id"] and (rows[0]["is_exact"] or len(rows) == 1)
    stored = Credentials(rows[0]["id"], rows[0]["password"]) if is_found else None
    return stored, rows[0]["some_have_bcrypt"]


async def fold_names(connection: Connection) -> None:
    """Fill in the form under which names are compared, where a user came without one.

    So do those of before there was one, and of gateways that do not know of it.
    """
    unfolded = "SELECT id, username FROM users WHERE folded_name IS NULL LIMIT :batch"
    fill_in = """
        UPDATE users SET folded_name = folded.name
        FROM unnest(CAST(:ids AS uuid[]), CAST(:names AS varchar[])) AS folded (id, name)
        WHERE users.id = folded.id AND users.folded_name IS NULL
    """
    while rows := await connection.fetch_all(unfolded, {"batch": BATCH_ROWS}):
        names = [fold(row["username"]) for row in rows]
        await connection.execute(fill_in, {"ids": [row["id"] for row in rows], "names": names})


async def update_password(connection: Connection, credentials: Credentials, new_hash: str) -> None:
    """Store another hash of the same password, unless it has been changed meanwhile."""
    sql = "UPDATE users SET password = :new_hash WHERE id = :id AND password = :password"
    values = {"id": credentials.id, "password": credentials.password, "new_hash": new_hash}
    await connection.execute(sql, values)


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
