"""Reading the audit log, for administrators."""

from gateway.audit import queries
from gateway.audit.queries import Wanted
from gateway.audit.schemas import Entry, EntryPage
from gateway.web.auth import Access
from gateway.web.call import Call
from gateway.web.inputs import Nothing
from gateway.web.lines import listing
from gateway.web.paging import Page


async def list_audit(call: Call[Nothing, EntryPage]) -> Page[Entry]:
    """List who did what to which object, and from where, the newest first."""
    asked = call.parameters
    wanted = Wanted(asked.user_id, asked.object_id, asked.action, asked.since, asked.until)
    return await call.read_page(
        lambda connection, part: queries.select_entries(connection, wanted, part)
    )


operations = [
    listing("/api/audit", list_audit, EntryPage, list[Entry], access=Access.ADMIN, fails=False),
]
