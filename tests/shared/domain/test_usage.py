"""What answers say of tokens, in the words of the field."""

from typing import Any

import pytest

from shared.domain.usage import (
    ENTRIES_LIMIT,
    TOKENS_LIMIT,
    UnfitUsageError,
    Usage,
    add_up,
    read_usage,
    tell_usage,
    usage_in,
)

OURS = {"input_tokens": 10, "output_tokens": 3, "cached_tokens": 4, "model": "m", "provider": "p"}


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (OURS, Usage(10, 3, 4, model="m", provider="p")),
        (
            {  # OpenAI, chat completions
                "prompt_tokens": 10,
                "completion_tokens": 3,
                "total_tokens": 13,
                "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 2},
            },
            Usage(10, 3, 4),
        ),
        (
            {  # OpenAI, responses
                "input_tokens": 10,
                "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
                "output_tokens": 3,
                "output_tokens_details": {"reasoning_tokens": 2},
            },
            Usage(10, 3, 4, 1),
        ),
        (
            {  # Anthropic counts what has to do with caches apart
                "input_tokens": 5,
                "cache_read_input_tokens": 4,
                "cache_creation_input_tokens": 1,
                "output_tokens": 3,
            },
            Usage(10, 3, 4, 1),
        ),
        (
            {  # LiteLLM has both ways at once
                "prompt_tokens": 10,
                "completion_tokens": 3,
                "prompt_tokens_details": {"cached_tokens": 4},
                "cache_read_input_tokens": 4,
                "cache_creation_input_tokens": 1,
            },
            Usage(10, 3, 4, 1),
        ),
        (
            {  # LangChain
                "input_tokens": 10,
                "output_tokens": 3,
                "input_token_details": {"cache_read": 4, "cache_creation": 1},
            },
            Usage(10, 3, 4, 1),
        ),
        (
            {  # Pydantic AI
                "input_tokens": 10,
                "output_tokens": 3,
                "cache_read_tokens": 4,
                "cache_write_tokens": 1,
                "requests": 1,
            },
            Usage(10, 3, 4, 1),
        ),
        ({"output_tokens": 3}, Usage(0, 3)),
        ({"input_tokens": 3, "output_tokens": None, "model": ""}, Usage(3, 0)),
        ({"input_tokens": 0, "output_tokens": 0}, Usage(0, 0)),
    ],
)
def test_every_way_to_say_it_is_understood(said: Any, read: Usage) -> None:
    assert read_usage(said) == [read]
    assert usage_in({"usage": said}) == [read]


def test_several_models_make_a_list() -> None:
    several = read_usage([OURS, {"prompt_tokens": 1, "model": "n"}])
    assert several == [Usage(10, 3, 4, model="m", provider="p"), Usage(1, 0, model="n")]
    assert add_up(several) == Usage(11, 3, 4)
    assert tell_usage(several)[1] == {
        "input_tokens": 1,
        "output_tokens": 0,
        "cached_tokens": 0,
        "written_tokens": 0,
        "model": "n",
    }


@pytest.mark.parametrize(
    "said",
    [
        "many",
        5,
        True,
        {},
        {"total_tokens": 5},
        {"input_tokens": "5"},
        {"input_tokens": 5.0},
        {"input_tokens": True},
        {"input_tokens": -1},
        {"input_tokens": TOKENS_LIMIT + 1},
        {"input_tokens": 2**80},
        {"input_tokens": [5]},
        {"input_tokens": 5, "cached_tokens": 6},
        {"input_tokens": 5, "model": 5},
        {"input_tokens": 5, "model": "x" * 201},
        {"input_tokens": 5, "model": "a\x00b"},
        {"input_tokens": 5, "provider": ["p"]},
        [OURS, None],
        [[OURS]],
        [OURS] * (ENTRIES_LIMIT + 1),
    ],
)
def test_what_is_of_no_use_is_refused_as_a_whole(said: Any) -> None:
    with pytest.raises(UnfitUsageError):
        read_usage(said)
    assert usage_in({"usage": said}) == []


def test_an_answer_may_say_nothing_of_it() -> None:
    assert usage_in({"response": "x"}) == usage_in({"usage": None}) == usage_in({"usage": []}) == []
