"""Usage: tokens in OpenAI's names, whoever reported them."""

from __future__ import annotations

from types import SimpleNamespace

from dspx.lm.usage import Usage


def test_nothing_reported_is_an_empty_dict():
    assert Usage().to_dict() == {}
    assert Usage.from_openai(None) == Usage()


def test_chat_completions_usage_keeps_its_details():
    usage = Usage.from_openai(
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 15,
            "prompt_tokens_details": {"cached_tokens": 3, "audio_tokens": None},
            "completion_tokens_details": {"reasoning_tokens": 2, "audio_tokens": 1},
        }
    )
    assert (usage.cached_tokens, usage.reasoning_tokens) == (3, 2)
    assert usage.to_dict() == {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 2, "audio_tokens": 1},
    }


def test_responses_names_mean_the_same():
    usage = Usage.from_openai(
        {
            "input_tokens": 10,
            "output_tokens": 5,
            "input_tokens_details": {"cached_tokens": 4},
            "total_tokens": 15,
        }
    )
    assert usage == Usage(10, 5, 15, cached_tokens=4)


def test_a_missing_total_is_the_sum():
    assert Usage.from_openai({"prompt_tokens": 7, "completion_tokens": 3}).total_tokens == 10


def test_deepseeks_cache_hits_count_as_cached():
    assert Usage.from_openai({"prompt_tokens": 7, "prompt_cache_hit_tokens": 5}).cached_tokens == 5


def test_an_sdks_object_is_read_like_a_dict():
    raw = SimpleNamespace(prompt_tokens=1, completion_tokens=2, total_tokens=3, prompt_tokens_details=None)
    assert Usage.from_openai(raw) == Usage(1, 2, 3)


def test_adding_adds_the_details_too():
    left = Usage(1, 2, 3, 1, 0, {"prompt_tokens_details": {"cache_creation_tokens": 4}})
    right = Usage(
        10, 20, 30, 2, 5, {"prompt_tokens_details": {"cache_creation_tokens": 6, "audio_tokens": 1}}
    )
    total = left + right
    assert (total.prompt_tokens, total.completion_tokens, total.total_tokens) == (11, 22, 33)
    assert (total.cached_tokens, total.reasoning_tokens) == (3, 5)
    assert total.details == {"prompt_tokens_details": {"cache_creation_tokens": 10, "audio_tokens": 1}}
    assert total.cache_write_tokens == 10
    assert left.details == {"prompt_tokens_details": {"cache_creation_tokens": 4}}


def test_a_usage_can_be_made_a_dict():
    assert dict(Usage(1, 2, 3)) == {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
