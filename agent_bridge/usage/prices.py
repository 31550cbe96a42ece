"""Prices of tokens, by the list in the package genai-prices, which is as old as its version.

It asks nobody, but takes a quarter of a second and 30 MiB when it is first wanted.
"""

from functools import cache, lru_cache
from typing import TYPE_CHECKING

import attrs

from shared.domain.usage import Usage

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, Provider

KNOWN_MODELS = 1024


def with_price(usage: Usage) -> Usage:
    """The usage with its price; as it is where the provider's price of the model is not known."""
    import genai_prices  # noqa: PLC0415 (most bridges never need it)

    found = _find(usage.provider or "", usage.model or "")
    if found is None:
        return usage
    provider, model = found
    tokens = genai_prices.Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_tokens,
        cache_write_tokens=usage.written_tokens,
    )
    return attrs.evolve(usage, price=model.calc_price(tokens, provider).total_price)


@lru_cache(maxsize=KNOWN_MODELS)
def _find(provider: str, model: str) -> "tuple[Provider, ModelInfo] | None":
    """A model of the list; the names are users' own."""
    from genai_prices.data_snapshot import DataSnapshot  # noqa: PLC0415

    # Each its own: one remembers all that it was ever asked for.
    snapshot = DataSnapshot(_providers(), from_auto_update=False)
    try:
        return snapshot.find_provider_model(model, None, provider, None)
    except LookupError:
        return None


@cache
def _providers() -> "list[Provider]":
    from genai_prices.data import providers  # noqa: PLC0415

    return providers
