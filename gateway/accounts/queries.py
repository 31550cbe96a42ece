"""Users in PostgreSQL."""

from uuid import UUID, uuid4

from attrs import frozen
from databases.core import Connection

from gateway.accounts.schemas import User
from shared.database import columns


@frozen
class Credentials:
    """What a login is checked against."""

    id: UUID
    password: str


async def insert_user(connection: Connection, username: str, password_hash: str) -> User | None:
    """The new user with an empty profile and the project "Default", or None: the name is taken."""
    sql = """
        WITH added AS (
            INSERT INTO users (id, username, password)
            VALUES (:id, :username, :password)
            ON CONFLICT (username) DO NOTHING
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


async def select_credentials(connection: Connection, username: str) -> Credentials | None:
    """The stored hash of a user, found by the exact name."""
    sql = "SELECT id, password FROM users WHERE username = :username"
    row = await connection.fetch_one(sql, {"username": username})
    return Credentials(**columns(row)) if row else None
