"""Providers: the table, and rows that users add to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dspx.errors import LMConfigurationError, LMNotConfiguredError
from dspx.lm import providers
from dspx.lm.providers import provider_named, provider_names, register_provider
from dspx.lm.resolve import resolve


@pytest.fixture
def own_rows(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(providers, "_rows", dict(providers._rows))


# ---------------------------------------------------------------- the model string


def test_every_row_that_needs_a_key_says_where_from():
    for name in provider_names():
        row = provider_named(name)
        assert row is not None
        assert row.key_env or not row.needs_key
        if row.needs_key:
            env = {variable.env[0]: "v" for variable in row.variables.values()} | {row.key_env[0]: "the-key"}
            assert resolve(f"{name}/some-model", environ=env).api_key == "the-key"


def test_a_row_can_be_added(own_rows: None):
    register_provider("acme", base_url="https://llm.acme.com/v1", key_env=("ACME_KEY",), aliases=("acme_ai",))
    endpoint = resolve("acme_ai/big", environ={"ACME_KEY": "k"})
    assert (endpoint.provider, endpoint.base_url, endpoint.api_key) == (
        "acme",
        "https://llm.acme.com/v1",
        "k",
    )
    with pytest.raises(LMNotConfiguredError, match="ACME_KEY"):
        resolve("acme/big", environ={})


def test_a_taken_prefix_must_be_replaced_on_purpose(own_rows: None):
    with pytest.raises(LMConfigurationError, match="taken"):
        register_provider("groq", base_url="http://h/v1")
    register_provider("groq", base_url="http://h/v1", needs_key=False, replace=True)
    assert resolve("groq/x", environ={}).base_url == "http://h/v1"


def test_a_row_speaks_a_known_wire(own_rows: None):
    with pytest.raises(LMConfigurationError, match="No wire"):
        register_provider("acme", base_url="http://h", wire="morse")


def test_the_guide_lists_every_provider():
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "providers.md").read_text()
    for prefix in provider_names():
        row = provider_named(prefix)
        assert row is not None
        assert f"`{prefix}`" in guide
        for variable in (*row.key_env, *row.base_env):
            assert f"`{variable}`" in guide
