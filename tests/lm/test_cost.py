"""Cost: a table of prices, and None where nobody knows."""

from __future__ import annotations

import pytest

from dspx.errors import UsageError
from dspx.lm import cost
from dspx.lm.cost import price, register_price
from dspx.lm.usage import Usage

MILLION = 1_000_000


@pytest.fixture(autouse=True)
def _own_prices(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cost, "_registered", {})


def test_input_and_output_have_their_prices():
    assert price("openai/gpt-4o-mini", Usage(MILLION, MILLION)) == pytest.approx(0.15 + 0.60)


def test_cached_input_is_cheaper():
    assert price("openai/gpt-4o-mini", Usage(MILLION, 0, cached_tokens=MILLION)) == pytest.approx(0.075)


def test_anthropics_cache_writes_cost_more():
    usage = Usage(117, 5, 122, 100, 0, {"prompt_tokens_details": {"cache_creation_tokens": 7}})
    assert price("anthropic/claude-sonnet-4-5", usage) == pytest.approx(0.00016125)


@pytest.mark.parametrize(
    "model",
    ["gpt-4o-mini", "openai/gpt-4o-mini-2024-07-18", "azure/gpt-4o-mini", "openai/gpt-4o-mini-latest"],
)
def test_dates_and_absent_prefixes_do_not_matter(model: str):
    assert price(model, Usage(MILLION, 0)) == pytest.approx(0.15)


def test_a_dated_model_with_its_own_price_has_that():
    assert price("openai/gpt-4o-2024-05-13", Usage(MILLION, 0)) == pytest.approx(5)


def test_a_fine_tuned_model_has_its_own_price():
    assert price("openai/ft:gpt-4o-mini-2024-07-18:acme::abc", Usage(MILLION, 0)) == pytest.approx(0.3)


@pytest.mark.parametrize("model", ["ollama/llama3", "groq/gpt-4o-mini", "openai/gpt-9000", "x"])
def test_an_unknown_model_has_no_price(model: str):
    assert price(model, Usage(10, 10)) is None


def test_no_usage_has_no_price():
    assert price("openai/gpt-4o-mini", Usage()) is None


def test_a_registered_price_goes_before_the_table():
    register_price("openai/gpt-4o-mini", input=1, output=2)
    register_price("house-model", input=3, output=4, cached=1)
    assert price("openai/gpt-4o-mini", Usage(MILLION, MILLION)) == pytest.approx(3)
    assert price("openai/house-model", Usage(MILLION, 0, cached_tokens=MILLION)) == pytest.approx(1)


def test_a_negative_price_is_refused():
    with pytest.raises(UsageError, match="negative"):
        register_price("m", input=-1, output=0)
