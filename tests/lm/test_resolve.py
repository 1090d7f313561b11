"""Resolve: a model string becomes an endpoint."""

from __future__ import annotations

import pytest

from dspx.errors import LMConfigurationError, LMNotConfiguredError
from dspx.lm import facts
from dspx.lm.facts import UNKNOWN, Facts
from dspx.lm.providers import provider_named
from dspx.lm.resolve import resolve


def test_a_bare_name_goes_to_openai():
    endpoint = resolve("gpt-4o-mini", environ={"OPENAI_API_KEY": "k"})
    assert (endpoint.provider, endpoint.model, endpoint.base_url) == (
        "openai",
        "gpt-4o-mini",
        "https://api.openai.com/v1",
    )


def test_the_rest_of_the_path_is_the_models_name():
    assert (
        resolve("openai/meta-llama/Llama-3", api_base="http://h/v1", environ={}).model == "meta-llama/Llama-3"
    )
    assert resolve("openrouter/openai/gpt-4o", environ={"OPENROUTER_API_KEY": "k"}).model == "openai/gpt-4o"


@pytest.mark.parametrize(
    ("prefix", "provider"),
    [
        ("google", "gemini"),
        ("hosted_vllm", "vllm"),
        ("ollama_chat", "ollama"),
        ("together", "together_ai"),
        ("vertex", "vertex_ai"),
    ],
)
def test_other_names_mean_the_same_row(prefix: str, provider: str):
    row = provider_named(prefix)
    assert row is not None
    assert row.name == provider


def test_an_unknown_prefix_lists_near_ones_and_the_ways_out():
    with pytest.raises(LMConfigurationError) as caught:
        resolve("antropic/claude-x", environ={})
    assert "'anthropic'" in str(caught.value)
    assert "api_base" in str(caught.value)
    assert "engine='litellm'" in str(caught.value)


def test_an_unknown_prefix_with_an_address_is_part_of_the_name():
    endpoint = resolve(
        "meta-llama/Llama-3.1-8B", api_base="http://h:8000/v1", environ={"OPENAI_API_KEY": "k"}
    )
    assert (endpoint.model, endpoint.base_url, endpoint.api_key) == (
        "meta-llama/Llama-3.1-8B",
        "http://h:8000/v1",
        None,
    )


@pytest.mark.parametrize(
    ("model", "right"),
    [("claude-opus-5", "anthropic/claude-opus-5"), ("gemini-2.5-pro", "gemini/gemini-2.5-pro")],
)
def test_a_forgotten_prefix_is_named(model: str, right: str):
    with pytest.raises(LMConfigurationError, match=right):
        resolve(model, environ={"OPENAI_API_KEY": "k"})


@pytest.mark.parametrize("model", ["", "openai/"])
def test_a_model_without_a_name_is_refused(model: str):
    with pytest.raises(LMConfigurationError, match="names no model"):
        resolve(model, environ={})


# ---------------------------------------------------------------- keys and addresses


def test_a_missing_key_names_the_variable():
    with pytest.raises(LMNotConfiguredError, match="GEMINI_API_KEY or GOOGLE_API_KEY"):
        resolve("gemini/gemini-2.5-flash", environ={})


def test_what_is_passed_goes_before_the_environment():
    environ = {"OPENAI_API_KEY": "env", "OPENAI_API_BASE": "http://env/v1"}
    endpoint = resolve("openai/x", api_key="mine", api_base="http://mine/v1", environ=environ)
    assert (endpoint.api_key, endpoint.base_url) == ("mine", "http://mine/v1")
    assert resolve("openai/x", environ=environ).base_url == "http://env/v1"


def test_an_address_demands_no_key():
    endpoint = resolve("openai/x", api_base="http://localhost:8000/v1", environ={})
    assert endpoint.api_key is None
    assert "authorization" not in endpoint.request_headers()


def test_local_servers_demand_nothing():
    assert resolve("ollama/llama3", environ={}).base_url == "http://localhost:11434/v1"
    assert resolve("vllm/m", environ={}).base_url == "http://localhost:8000/v1"


@pytest.mark.parametrize(
    ("model", "given", "base_url"),
    [
        ("ollama/m", "http://h:11434", "http://h:11434/v1"),
        ("ollama/m", "http://h:11434/v1/", "http://h:11434/v1"),
        ("ollama/m", "localhost:11434", "http://localhost:11434/v1"),
        ("vllm/m", "http://h:8000/v1/chat/completions", "http://h:8000/v1"),
        ("anthropic/m", "https://proxy.acme.com/anthropic", "https://proxy.acme.com/anthropic/v1"),
        ("anthropic/m", "https://proxy.acme.com/v1/messages", "https://proxy.acme.com/v1"),
        ("gemini/m", "https://proxy.acme.com", "https://proxy.acme.com/v1beta"),
        ("gemini/m", "https://proxy.acme.com/v1beta", "https://proxy.acme.com/v1beta"),
        ("openai/m", "https://proxy.acme.com/llm", "https://proxy.acme.com/llm"),
    ],
)
def test_addresses_are_taken_as_people_paste_them(model: str, given: str, base_url: str):
    assert resolve(model, api_base=given, environ={}).base_url == base_url


def test_azure_has_the_deployment_in_its_address_and_a_version_after_it():
    environ = {
        "AZURE_API_KEY": "k",
        "AZURE_API_BASE": "https://acme.openai.azure.com/",
        "AZURE_API_VERSION": "2025-01-01",
    }
    endpoint = resolve("azure/my-gpt", environ=environ)
    url = "https://acme.openai.azure.com/openai/deployments/my-gpt/chat/completions?api-version=2025-01-01"
    assert endpoint.url("/chat/completions") == url
    assert endpoint.request_headers()["api-key"] == "k"
    passed = resolve("azure/my-gpt", api_version="2026-02-02", environ=environ)
    assert passed.query == {"api-version": "2026-02-02"}


def test_azures_whole_addresses_are_left_alone():
    endpoint = resolve(
        "azure/my-gpt", api_base="https://acme.openai.azure.com/openai/v1/", api_key="k", environ={}
    )
    assert endpoint.url("/chat/completions") == "https://acme.openai.azure.com/openai/v1/chat/completions"


def test_azure_without_an_address_names_the_variable():
    with pytest.raises(LMNotConfiguredError, match="AZURE_API_BASE"):
        resolve("azure/my-gpt", environ={"AZURE_API_KEY": "k"})


def test_clouds_fill_in_region_and_project():
    bedrock = resolve(
        "bedrock/openai.gpt-oss-20b-1:0", environ={"AWS_BEARER_TOKEN_BEDROCK": "t", "AWS_REGION": "eu-west-1"}
    )
    assert bedrock.base_url == "https://bedrock-runtime.eu-west-1.amazonaws.com/openai/v1"
    environ = {"VERTEXAI_ACCESS_TOKEN": "t", "VERTEXAI_PROJECT": "p"}
    vertex = resolve("vertex_ai/google/gemini-2.5-flash", environ=environ)
    assert vertex.base_url == (
        "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/endpoints/openapi"
    )
    assert vertex.model == "google/gemini-2.5-flash"
    databricks = resolve(
        "databricks/m", environ={"DATABRICKS_TOKEN": "t", "DATABRICKS_HOST": "acme.cloud.databricks.com"}
    )
    assert databricks.base_url == "https://acme.cloud.databricks.com/serving-endpoints"


def test_a_users_headers_win_whatever_their_case():
    endpoint = resolve(
        "openai/x", api_key="k", headers={"Authorization": "Basic x", "X-Team": "a"}, environ={}
    )
    headers = endpoint.request_headers()
    assert headers["authorization"] == "Basic x"
    assert headers["x-team"] == "a"


def test_a_query_in_the_address_stays_at_the_end():
    endpoint = resolve("anthropic/x", api_base="https://h/?team=a", environ={})
    assert endpoint.url("/messages") == "https://h/v1/messages?team=a"


def test_no_repr_shows_a_secret():
    endpoint = resolve(
        "openai/x",
        api_base="https://me:pass-word@h/v1?key=in-query",
        api_key="sk-secret",
        headers={"X-Key": "header-secret"},
        environ={},
    )
    for secret in ("sk-secret", "header-secret", "pass-word", "in-query"):
        assert secret not in repr(endpoint)
    assert "Bearer" not in repr(endpoint)


# ---------------------------------------------------------------- protocols and facts


@pytest.mark.parametrize(
    ("model", "model_type", "wire"),
    [
        ("openai/x", "chat", "openai_chat"),
        ("openai/x", "responses", "openai_responses"),
        ("vllm/x", "text", "openai_text"),
        ("anthropic/x", "chat", "anthropic"),
        ("gemini/x", "chat", "gemini"),
    ],
)
def test_the_wire_follows_row_and_model_type(model: str, model_type: str, wire: str):
    assert resolve(model, model_type=model_type, api_key="k", environ={}).wire.name == wire


def test_openais_other_protocols_are_openais():
    with pytest.raises(LMConfigurationError, match="speaks its own"):
        resolve("anthropic/x", model_type="responses", api_key="k", environ={})
    with pytest.raises(LMConfigurationError, match="'chat', 'responses' or 'text'"):
        resolve("openai/x", model_type="chatty", api_key="k", environ={})


def test_a_models_facts_hold_as_far_as_its_endpoint_allows():
    openai = resolve("openai/gpt-4o-mini", api_key="k", environ={}).facts
    assert openai.supports_response_schema
    assert openai.n
    router = resolve("openrouter/openai/gpt-4o-mini", api_key="k", environ={}).facts
    assert router.supports_response_schema
    assert not router.n
    assert not resolve("deepseek/deepseek-chat", api_key="k", environ={}).facts.supports_response_schema
    assert not resolve("openai/gpt-4o", model_type="responses", api_key="k", environ={}).facts.n


def test_nothing_is_assumed_of_an_unknown_server():
    assert resolve("openai/my-model", api_base="http://h/v1", environ={}).facts == UNKNOWN
    assert resolve("my/model", api_base="http://h/v1", environ={}).facts == UNKNOWN


def test_servers_that_constrain_decoding_do_so_for_any_model():
    assert resolve("vllm/anything", environ={}).facts == Facts(
        supports_response_schema=True, supports_json_object=True, n=True
    )


def test_what_was_registered_of_a_model_holds_wherever_it_is_served(monkeypatch: pytest.MonkeyPatch):
    told = Facts(supports_function_calling=True, supports_response_schema=True, n=True)
    monkeypatch.setattr(facts, "_registered", {"my-model": told})
    assert resolve("openai/my-model", api_base="http://h/v1", environ={}).facts == told
    assert resolve("nvidia_nim/acme/my-model", api_key="k", environ={}).facts == told


# ---------------------------------------------------------------- new rows
