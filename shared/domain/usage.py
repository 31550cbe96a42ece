"""What an answer has used, as whoever made it says: tokens of language models.

The field has several words for the same; all of them are read here, and one is told.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import attrs
from attrs import frozen
from databases.core import Connection

from shared.domain.frames import Answer
from shared.postgres.pool import transaction

USAGE = "usage"  # the key of an answer
ENTRIES_LIMIT = 16  # models that one answer names
TOKENS_LIMIT = 10**9  # of one entry
NAME_LIMIT = 200  # characters of a model or a provider

INPUT = "input_tokens", "prompt_tokens"
OUTPUT = "output_tokens", "completion_tokens"
DETAILS = "input_tokens_details", "prompt_tokens_details", "input_token_details"
CACHED = "cached_tokens", "cache_read", "cache_read_tokens"
WRITTEN = "cache_write_tokens", "cache_creation"
READ_APART, WRITTEN_APART = ("cache_read_input_tokens",), ("cache_creation_input_tokens",)


class UnfitUsageError(Exception):
    """What is said of the usage is of no use; the text says why."""


@frozen
class Usage:
    """What one model was given and has made.

    The input holds those tokens too that a cache had, and those that one was given to keep.
    """

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    written_tokens: int = 0
    model: str | None = None
    provider: str | None = None
    price: Decimal | None = None
    """In USD; None: not known, or not looked up."""

    @property
    def total_tokens(self) -> int:
        """All of them."""
        return self.input_tokens + self.output_tokens


@frozen
class UsedBy:
    """What a request of this user has used."""

    request_id: UUID
    user_id: UUID
    usage: Usage


@frozen
class LateUsage:
    """What a request has used, by this claim; it had ended when that was known."""

    request_id: UUID
    claim_id: UUID | None
    usage: Sequence[Usage]


def read_usage(said: object) -> list[Usage]:
    """What is said, of one model or of a list of some. Raises UnfitUsageError."""
    entries = said if isinstance(said, list) else [said]
    if len(entries) > ENTRIES_LIMIT:
        raise UnfitUsageError(f"it has more than {ENTRIES_LIMIT} entries")
    return [_read_entry(entry) for entry in entries]


def usage_in(answer: Answer) -> list[Usage]:
    """What an answer says; nothing where that is of no use."""
    said = answer.get(USAGE)
    try:
        return [] if said is None else read_usage(said)
    except UnfitUsageError:
        return []


def add_up(usage: Iterable[Usage]) -> Usage:
    """All of it, whichever the models are."""
    entries = list(usage)
    return Usage(
        sum(entry.input_tokens for entry in entries),
        sum(entry.output_tokens for entry in entries),
        sum(entry.cached_tokens for entry in entries),
        sum(entry.written_tokens for entry in entries),
    )


def tell_usage(usage: Iterable[Usage]) -> list[dict[str, Any]]:
    """It as JSON, where a protocol has no words of its own for it."""
    return [attrs.asdict(entry, filter=lambda _, value: value is not None) for entry in usage]


def _read_entry(said: object) -> Usage:
    if not isinstance(said, dict):
        raise UnfitUsageError("it is no object")
    given, made = _count(said, INPUT), _count(said, OUTPUT)
    if given is None and made is None:
        raise UnfitUsageError(f"it says neither {' nor '.join([*INPUT, *OUTPUT])}")
    cached, written = _count_cached(said)
    total = (given or 0) + _count_apart(said)
    if cached + written > total:
        raise UnfitUsageError("more came from a cache, or went into one, than came in")
    names = _name(said, "model"), _name(said, "provider")
    return Usage(total, made or 0, cached, written, *names)


def _count_cached(said: Mapping[str, Any]) -> tuple[int, int]:
    """Which of the input a cache had, and which it was given."""
    told = dict(said)
    for details in map(said.get, DETAILS):
        told |= details if isinstance(details, dict) else {}
    cached, written = _count(told, CACHED), _count(told, WRITTEN)
    return (
        _count(said, READ_APART) or 0 if cached is None else cached,
        _count(said, WRITTEN_APART) or 0 if written is None else written,
    )


def _count_apart(said: Mapping[str, Any]) -> int:
    """What Anthropic's API counts besides its `input_tokens`; others say what was in them."""
    if "prompt_tokens" in said or any(name in said for name in DETAILS):
        return 0
    return (_count(said, READ_APART) or 0) + (_count(said, WRITTEN_APART) or 0)


def _count(said: Mapping[str, Any], names: Sequence[str]) -> int | None:
    name = next((name for name in names if said.get(name) is not None), None)
    if name is None:
        return None
    count = said[name]
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= TOKENS_LIMIT:
        raise UnfitUsageError(f"{name} is no whole number from 0 to {TOKENS_LIMIT:,}")
    return count


def _name(said: Mapping[str, Any], field: str) -> str | None:
    name = said.get(field)
    if name is None or name == "":
        return None
    if not isinstance(name, str) or len(name) > NAME_LIMIT or "\x00" in name:
        raise UnfitUsageError(f"{field} is no text of at most {NAME_LIMIT} characters")
    return name


async def add_usage(connection: Connection, used: Sequence[UsedBy]) -> None:
    """Note with requests what they have used, and add it to the sums of their users.

    In the transaction that ends them. Sums are locked in order, so that no two statements block
    each other. A day is one of UTC.
    """
    sql = """
        WITH used AS (
            SELECT * FROM unnest(
                CAST(:ids AS uuid[]), CAST(:owners AS uuid[]), CAST(:models AS text[]),
                CAST(:providers AS text[]), CAST(:given AS bigint[]), CAST(:cached AS bigint[]),
                CAST(:made AS bigint[]), CAST(:prices AS numeric[])
            ) WITH ORDINALITY AS used (
                id, user_id, model, provider, input_tokens, cached_tokens, output_tokens, price,
                place
            )
        ), noted AS (
            UPDATE requests SET usage = entries
            FROM (
                SELECT id, jsonb_agg(to_jsonb(used) - CAST('{id,user_id,place}' AS text[])
                                     ORDER BY place) AS entries
                FROM used GROUP BY id
            ) AS said
            WHERE requests.id = said.id
        )
        INSERT INTO usage_days AS had (
            user_id, day, model, requests, input_tokens, cached_tokens, output_tokens, price,
            unpriced_requests
        )
        SELECT user_id, CAST(timezone('utc', now()) AS date), coalesce(model, ''),
               count(DISTINCT id), sum(input_tokens), sum(cached_tokens), sum(output_tokens),
               sum(price), count(DISTINCT id) FILTER (WHERE price IS NULL)
        FROM used GROUP BY user_id, coalesce(model, '') ORDER BY user_id, coalesce(model, '')
        ON CONFLICT (user_id, day, model) DO UPDATE SET
            requests = had.requests + excluded.requests,
            input_tokens = had.input_tokens + excluded.input_tokens,
            cached_tokens = had.cached_tokens + excluded.cached_tokens,
            output_tokens = had.output_tokens + excluded.output_tokens,
            price = coalesce(had.price + excluded.price, had.price, excluded.price),
            unpriced_requests = had.unpriced_requests + excluded.unpriced_requests
    """
    entries = [each.usage for each in used]
    values = {
        "ids": [each.request_id for each in used],
        "owners": [each.user_id for each in used],
        "models": [entry.model for entry in entries],
        "providers": [entry.provider for entry in entries],
        "given": [entry.input_tokens for entry in entries],
        "cached": [entry.cached_tokens for entry in entries],
        "made": [entry.output_tokens for entry in entries],
        "prices": [entry.price for entry in entries],
    }
    await connection.execute(sql, values)


async def add_late_usage(connection: Connection, late: Sequence[LateUsage]) -> None:
    """Do so for requests that had ended without an answer, unless it was done before.

    It is counted on the day on which it is known.
    """
    sql = """
        UPDATE requests SET usage = '[]'
        FROM unnest(CAST(:ids AS uuid[]), CAST(:claim_ids AS uuid[])) AS late (id, claim_id)
        WHERE requests.id = late.id AND requests.claim_id = late.claim_id
          AND usage IS NULL AND status NOT IN ('queued', 'running', 'answered')
        RETURNING late.id, late.claim_id, creator_id
    """
    values = {
        "ids": [each.request_id for each in late],
        "claim_ids": [each.claim_id for each in late],
    }
    async with transaction(connection):
        rows = await connection.fetch_all(sql, values)
        owners = {(row["id"], row["claim_id"]): row["creator_id"] for row in rows}
        used = [
            UsedBy(each.request_id, owner, usage)
            for each in late
            if (owner := owners.get((each.request_id, each.claim_id)))
            for usage in each.usage
        ]
        if used:
            await add_usage(connection, used)
