from __future__ import annotations

import pytest

from dspx.testing.modes import choose, live_model, missing_key


def test_mock_is_the_default() -> None:
    choice = choose(None, {})
    assert (choice.mode, choice.given, choice.is_live) == ("mock", False, False)
    assert "mock" in choice.told


def test_the_option_goes_before_the_environment() -> None:
    assert choose("live", {"DSPX_TEST_MODE": "mock"}).mode == "live"
    assert choose(None, {"DSPX_TEST_MODE": "fallback"}).mode == "fallback"
    assert choose(None, {"DSPX_TEST_MODE": "fallback"}).given


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="none of mock, fallback, live"):
        choose(None, {"DSPX_TEST_MODE": "real"})


def test_a_key_makes_fallback_live_and_mock_not() -> None:
    key = {"ANTHROPIC_API_KEY": "k"}
    assert choose("fallback", key).is_live
    assert choose("fallback", key).told == "fallback (anthropic/claude-haiku-4-5)"
    assert not choose("mock", key).is_live
    assert not choose("fallback", {}).is_live
    assert "no key is set" in choose("fallback", {}).told


def test_the_named_model_goes_before_the_keys() -> None:
    assert live_model({"DSPX_TEST_LM": "ollama/x", "OPENAI_API_KEY": "k"}) == "ollama/x"
    assert live_model({"OPENAI_API_KEY": "k"}) == "openai/gpt-4o-mini"
    assert live_model({}) is None
    assert "OPENAI_API_KEY" in missing_key()
