"""What an answer says that it has used, with its price: no answer is lost by either."""

import asyncio
import logging

import attrs
from attrs import frozen

from agent_bridge.usage.prices import with_price
from shared.domain.endings import Outcome
from shared.domain.usage import USAGE, UnfitUsageError, Usage, read_usage

logger = logging.getLogger(__name__)


@frozen
class Model:
    """A language model, and whose it is."""

    name: str
    provider: str


async def with_usage(outcome: Outcome, asked: Model) -> Outcome:
    """The outcome with what its answer says of it, if it says anything.

    Where no model or provider is named, it is that of the model config.
    """
    if outcome.error is not None or (said := outcome.answer.get(USAGE)) is None:
        return outcome
    try:
        usage = [_named(each, asked) for each in read_usage(said)]
    except UnfitUsageError as error:
        logger.warning("what the answer says of its usage is dropped: %s", error)
        return outcome
    return attrs.evolve(outcome, usage=await _with_prices(usage))


def _named(usage: Usage, asked: Model) -> Usage:
    return attrs.evolve(
        usage, model=usage.model or asked.name, provider=usage.provider or asked.provider
    )


async def _with_prices(usage: list[Usage]) -> list[Usage]:
    """In a thread: the list is large, and others' answers go on meanwhile."""
    try:
        return await asyncio.to_thread(lambda: [with_price(each) for each in usage])
    except Exception:
        logger.exception("the prices of an answer are not known")
        return usage
