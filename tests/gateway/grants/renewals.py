"""What tests of renewals do and look at."""

from typing import Any
from uuid import UUID

from gateway.grants import queries, renewing
from gateway.grants.queries import ClaimedGrant
from gateway.grants.renewing import Renewals
from gateway.remote.outbound import Outbound
from shared.postgres.pool import connect, transaction
from tests.gateway.grants.logins import SERVERS
from tests.gateway.mcp.test_headers import list_active
from tests.gateway.shapes import good
from tests.sql import Sql
from tests.system import SERVICE_KEY
from tests.users import User, eventually

OUT = Outbound(10.0, allow_private=True)


async def renew(renewals: Renewals, server_id: UUID) -> None:
    """Renew at once."""
    await renewals._renew(await claim(renewals, server_id))


async def claim(renewals: Renewals, server_id: UUID) -> ClaimedGrant:
    """Due and claimed at once: no gateway of the system's can come between."""
    async with connect(renewals._database) as connection, transaction(connection):
        sql = "UPDATE mcpservers SET oauth_due_at = now() WHERE id = :id"
        await connection.execute(sql, {"id": server_id})
        claimed = await queries.claim_grant(connection, server_id, renewing.CLAIM_SECONDS)
    assert claimed is not None
    return claimed


def stored(sql: Sql, server_id: UUID) -> dict[str, Any]:
    [row] = sql(
        """
        SELECT oauth, oauth_claimed_at, wants_authorization, is_active,
               extract(epoch FROM oauth_due_at - now())::float8 AS due_in
        FROM mcpservers WHERE id = %s
        """,
        server_id,
    )
    return dict(row)


async def until_renewed(sql: Sql, server_id: UUID) -> None:
    """Wait: a gateway of the system's may have been the first."""

    async def is_renewed() -> bool:
        row = stored(sql, server_id)
        return row["due_in"] > 3000 and row["oauth_claimed_at"] is None

    await eventually(is_renewed, "the tokens are renewed", 30.0)


async def token_of(person: User) -> str:
    [given] = await list_active(person, SERVICE_KEY)
    return str(given["headers"]["Authorization"]).removeprefix("Bearer ")


async def read(person: User, server_id: UUID) -> dict[str, Any]:
    server: dict[str, Any] = good(await person.http.get(f"{SERVERS}/{server_id}"))
    return server
