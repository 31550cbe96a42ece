"""Prices by the list of a package, which is asked in this process and asks nobody."""

import subprocess
import sys
from decimal import Decimal
from typing import Any

import attrs
import pytest

from agent_bridge.usage import prices
from agent_bridge.usage.metering import Model, with_usage
from agent_bridge.usage.prices import with_price
from shared.domain.endings import Outcome, failed
from shared.domain.usage import Usage

KNOWN = Model("gpt-4o", "openai")
ALONE = """
import socket, sys
def refuse(*_): raise AssertionError("it asks somebody")
socket.socket.connect = socket.getaddrinfo = refuse
import agent_bridge.app
assert "genai_prices" not in sys.modules
from agent_bridge.usage.prices import with_price
from shared.domain.usage import Usage
assert with_price(Usage(1000, 100, model="gpt-4o", provider="openai")).price
assert "genai_prices.data" in sys.modules
"""


def price(model: str, provider: str = "openai", **tokens: Any) -> Decimal | None:
    given = Usage(1_000_000, 0, model=model, provider=provider)
    return with_price(attrs.evolve(given, **tokens)).price


def test_nobody_is_asked_for_prices_and_the_list_is_read_when_it_is_wanted() -> None:
    subprocess.run([sys.executable, "-c", ALONE], check=True)


def test_a_price_is_that_of_the_providers_model() -> None:
    assert price("gpt-4o") == price("GPT-4o", "OpenAI") == Decimal("2.5")
    assert price("gpt-4o", output_tokens=1_000_000) == Decimal("12.5")
    assert price("gpt-4o", cached_tokens=1_000_000) == Decimal("1.25")


def test_what_goes_into_a_cache_has_a_price_of_its_own() -> None:
    plain = price("claude-sonnet-4-5", "anthropic")
    written = price("claude-sonnet-4-5", "anthropic", written_tokens=1_000_000)
    assert plain is not None
    assert written is not None
    assert written > plain


@pytest.mark.parametrize(
    ("model", "provider"),
    [("gpt-4o", "ollama"), ("gpt-4o", "ours"), ("nonesuch", "openai"), ("", "openai"), ("m", "")],
)
def test_an_unknown_one_has_none(model: str, provider: str) -> None:
    assert price(model, provider) is None


def test_names_of_models_are_not_kept_for_ever() -> None:
    for number in range(prices.KNOWN_MODELS + 100):
        assert price(f"ours-{number}", "nobody") is None
    assert prices._find.cache_info().currsize == prices.KNOWN_MODELS


async def test_a_model_that_is_not_named_is_that_of_the_config() -> None:
    said = [{"input_tokens": 1000}, {"input_tokens": 1, "model": "m", "provider": "p"}]
    outcome = await with_usage(Outcome("answered", {"usage": said}), KNOWN)
    assert [(each.model, each.provider) for each in outcome.usage] == [
        ("gpt-4o", "openai"),
        ("m", "p"),
    ]
    assert [each.price for each in outcome.usage] == [Decimal("0.0025"), None]


async def test_no_answer_is_lost_by_what_it_says_of_its_usage(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    unfit = Outcome("answered", {"response": "x", "usage": {"input_tokens": "private"}})
    assert await with_usage(unfit, KNOWN) == unfit
    assert "is dropped: input_tokens is no whole number" in caplog.text
    assert "private" not in caplog.text

    def fail(_usage: Usage) -> Usage:
        raise ZeroDivisionError

    monkeypatch.setattr("agent_bridge.usage.metering.with_price", fail)
    fit = Outcome("answered", {"response": "x", "usage": {"input_tokens": 5}})
    [usage] = (await with_usage(fit, KNOWN)).usage
    assert (usage.input_tokens, usage.price) == (5, None)


async def test_what_failed_has_used_nothing() -> None:
    outcome = failed("no")
    assert await with_usage(outcome, KNOWN) is outcome
