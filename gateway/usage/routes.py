"""Telling users what they have used."""

from datetime import UTC, date, datetime
from uuid import UUID

from gateway.usage import queries
from gateway.usage.schemas import MOST_DAYS, DayOfModel, Days, UsageReport
from gateway.web.auth import check_administrator
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.lines import listing
from gateway.web.paging import Page
from shared.postgres.pool import connect

NO_DAYS = "'from_day' must not be after 'to_day'"
TOO_MANY_DAYS = f"'from_day' and 'to_day' must not be more than {MOST_DAYS} days apart"


async def list_usage(call: Call[Nothing, Days]) -> Page[DayOfModel]:
    """List what a user's requests have used of language models, by day and model.

    Administrators may ask for anybody's, others for their own.
    """
    first, last = _span(call.parameters, datetime.now(UTC).date())
    owner = await _owner(call)
    page = await call.read_page(
        lambda connection, part: queries.select_days(connection, owner, first, last, part)
    )
    async with connect(call.database) as connection:
        total = await queries.select_total(connection, owner, first, last)
        of_all = call.state["settings"].monthly_budget
        budget = await queries.select_budget(connection, owner, of_all)
    page.around = lambda _: UsageReport(first, last, total, budget, [])
    return page


async def _owner(call: Call[Nothing, Days]) -> UUID:
    """Whose usage is told. Raises ForbiddenError, BadRequestError where there is no such user."""
    asked = call.parameters.user_id
    if asked is None or asked == call.user_id:
        return call.user_id
    assert call.caller is not None, "not anyone may ask"
    async with connect(call.database) as connection:
        await check_administrator(connection, call.caller)
        if not await queries.select_exists(connection, asked):
            raise BadRequestError(f"User '{asked}' does not exist")
    return asked


def _span(asked: Days, today: date) -> tuple[date, date]:
    last = asked.to_day or today
    first = asked.from_day or last.replace(day=1)
    if first > last:
        raise BadRequestError(NO_DAYS)
    if (last - first).days > MOST_DAYS:
        raise BadRequestError(TOO_MANY_DAYS)
    return first, last


operations = [listing("/api/usage", list_usage, Days, UsageReport)]
