"""What clients are told of what was used."""

from datetime import date
from typing import Annotated
from uuid import UUID

from attrs import frozen
from msgspec import Meta

from gateway.web.paging import Limit, Offset

MOST_DAYS = 366

FirstDay = Annotated[
    date, Meta(description="The first day; by default the first of the month of the last one.")
]
LastDay = Annotated[
    date, Meta(description=f"The last day, by default today; at most {MOST_DAYS} after the first.")
]


Whose = Annotated[
    UUID, Meta(description="Whose; by default the caller's own. Others' are for administrators.")
]


@frozen
class Days:
    """Of which days to tell, by UTC."""

    user_id: Whose | None = None
    from_day: FirstDay | None = None
    to_day: LastDay | None = None
    limit: Limit = 100
    offset: Offset = 0


@frozen(slots=False)
class Sums:
    """Over answers that say what they have used; what came from a cache is in the input too.

    The price is in USD, of the requests whose models have a known one; null where none has.
    """

    requests: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    price: float | None
    unpriced_requests: int


@frozen(slots=False)
class DayOfModel:
    """The sums of a model on a day, by UTC."""

    day: date
    model: str
    requests: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    price: float | None
    unpriced_requests: int


@frozen(slots=False)
class Budget:
    """USD of this month, by UTC: once all is spent, nothing new is accepted until it ends."""

    monthly: float
    spent: float


@frozen(slots=False)
class UsageReport:
    """What a user has used in some days, newest first; `total` is that of all of them.

    `budget` is null where there is no bound.
    """

    from_day: date
    to_day: date
    total: Sums
    budget: Budget | None
    days: list[DayOfModel]
