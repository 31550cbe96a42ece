"""How who has no password shows that a mail address is his: by his provider."""

from attrs import field, frozen

from gateway.accounts.changes import OneTime
from gateway.accounts.emails import find_asking, take_proof
from gateway.identities import queries
from gateway.identities.schemas import Code, Verifier
from gateway.identities.signing_in import take_code
from gateway.web.auth import Access
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.operation import Operation
from shared.postgres.pool import connect

SOMEBODY_ELSE = "Whoever signed in there is not the one who asked for the mail"


@frozen
class EmailProofByCode:
    """A one-time token that came by mail, and the code of who asked for it."""

    token: OneTime = field(repr=False)
    code: Code
    code_verifier: Verifier


async def create_email_proof_by_code(call: Call[EmailProofByCode, Nothing]) -> None:
    """Show that an address is one's own: by what was sent there, and by one's provider.

    A page has got the code as for signing in.
    """
    given = call.body
    holder = await find_asking(call, given.token)
    proof = await take_code(call, given.code, given.code_verifier)
    async with connect(call.database) as connection:
        if not await queries.select_is_of(connection, holder.id, proof):
            raise BadRequestError(SOMEBODY_ELSE)
    await take_proof(call, holder, given.token)


operations = [
    Operation(
        method="POST",
        path="/api/email-verification/oidc",
        handler=create_email_proof_by_code,
        body=EmailProofByCode,
        status=204,
        access=Access.ANYONE,
        bounded=True,
    ),
]
