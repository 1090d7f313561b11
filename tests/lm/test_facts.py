"""Facts: what a model can do, by its name."""

from __future__ import annotations

import pytest

from dspx.lm import facts as table
from dspx.lm.facts import Facts, base_name, facts_of, is_reasoning_model, register_facts


@pytest.mark.parametrize(
    "model",
    [
        "o1",
        "openai/o3-mini",
        "o4-mini-2025-04-16",
        "azure/o3",
        "gpt-5",
        "openai/gpt-5-nano",
        "gpt-5.2",
        "gpt-6-sol",
        "o5",
    ],
)
def test_models_that_think_first_are_known(model: str):
    assert is_reasoning_model(model)


@pytest.mark.parametrize(
    "model",
    [
        "gpt-4o",
        "gpt-5-chat",
        "gpt-5-chat-latest",
        "gpt-5.1-chat-latest",
        "o1labs/x",
        "gpt-50x",
        "claude-opus-5",
        "olmo",
    ],
)
def test_others_are_not(model: str):
    assert not is_reasoning_model(model)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("openrouter/openai/gpt-4o", "gpt-4o"),
        ("ft:gpt-4o-mini-2024-07-18:acme::abc", "gpt-4o-mini-2024-07-18"),
        ("bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929-v1:0"),
    ],
)
def test_a_models_own_name_is_found_in_any_string(model: str, name: str):
    assert base_name(model) == name


def test_facts_of_well_known_models():
    gpt = facts_of("gpt-4o-mini")
    assert gpt is not None
    assert gpt.supports_response_schema
    assert gpt.supports_vision
    assert not gpt.supports_reasoning
    claude = facts_of("claude-3-7-sonnet-20250219")
    assert claude is not None
    assert claude.supports_reasoning
    assert not claude.supports_response_schema
    assert facts_of("claude-3-haiku-20240307") == Facts(
        True, False, False, False, True, False, 200_000, 4_096
    )


def test_an_unknown_model_has_none():
    assert facts_of("llama-3.1-8b") is None


def test_facts_can_be_registered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(table, "_registered", {})
    register_facts("llama-3.1-8b", Facts(supports_function_calling=True))
    assert facts_of("vllm/meta/llama-3.1-8b") == Facts(supports_function_calling=True)
