"""The table of providers: where each is, how it is asked, and what to assume of its models.

The rows are data: a new OpenAI-compatible server is one more row (`register_provider`), never code. What makes a
row into an endpoint is in `dspx.lm.resolve`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dspx.errors import LMConfigurationError
from dspx.lm.facts import UNKNOWN, Facts
from dspx.lm.wire import WIRES


@dataclass(frozen=True, slots=True)
class Variable:
    """A part of an address that comes from the environment: the first variable that is set, or the default."""

    env: tuple[str, ...]
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """One row: an address, a key, a protocol, and what to assume of its models.

    Attributes:
        name, aliases: the prefixes that mean this row.
        base_url: the address without the protocol's path; `{model}` and the names in `variables` are filled in.
        key_env, base_env: environment variables that may hold the key or the address; the first one set counts.
        wire: the protocol, a name in `dspx.lm.wire.WIRES`.
        needs_key: whether the provider's own address demands a key.
        auth: "bearer", or the header that carries the key.
        version: added to an address that does not end in a version ("/v1"); None adds nothing.
        facts: what to assume of a model that the table of models does not know.
        hosts: what the endpoint allows of what a model can; a fact holds only if both say so. None allows all.
        limit: the one name of the token limit that the endpoint takes, if it takes only one.
    """

    name: str
    base_url: str | None = None
    key_env: tuple[str, ...] = ()
    base_env: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    wire: str = "openai_chat"
    needs_key: bool = True
    auth: str = "bearer"
    version: str | None = None
    variables: Mapping[str, Variable] = field(default_factory=dict[str, Variable])
    query: Mapping[str, Variable] = field(default_factory=dict[str, Variable])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    facts: Facts = UNKNOWN
    hosts: Facts | None = None
    limit: str | None = "max_tokens"
    renames: Mapping[str, str] = field(default_factory=dict[str, str])
    drops: frozenset[str] = frozenset()
    keeps_reasoning: bool = False


def register_provider(provider: Provider | str, *, replace: bool = False, **fields: Any) -> Provider:
    """Add a row: `register_provider("acme", base_url="https://llm.acme.com/v1", key_env=("ACME_KEY",))`.

    LMConfigurationError where one of its prefixes is taken, unless `replace` is true.
    """
    row = Provider(provider, **fields) if isinstance(provider, str) else provider
    if row.wire not in WIRES:
        raise LMConfigurationError(f"No wire is called {row.wire!r}; there are {sorted(WIRES)}.")
    taken = [prefix for prefix in (row.name, *row.aliases) if prefix in _rows]
    if taken and not replace:
        raise LMConfigurationError(
            f"The prefix {taken[0]!r} is taken; pass replace=True to replace that provider."
        )
    for prefix in (row.name, *row.aliases):
        _rows[prefix] = row
    return row


def provider_named(prefix: str) -> Provider | None:
    """The row of this prefix."""
    return _rows.get(prefix)


def provider_names() -> list[str]:
    """Every prefix that a model string may begin with."""
    return sorted(_rows)


# ---------------------------------------------------------------- the table

# What an endpoint lets through of what its models can.
_ALL = Facts(True, True, True, True, True, n=True)
_ONE_AT_A_TIME = Facts(True, True, True, True, True)
_NO_SCHEMA = Facts(True, False, True, True, True)

# What to assume of unknown models. Servers that constrain decoding themselves do so for any model; whether a
# model calls tools or sees images depends on the model, so nothing is assumed.
_GUIDED = Facts(supports_response_schema=True, supports_json_object=True)
_GUIDED_N = Facts(supports_response_schema=True, supports_json_object=True, n=True)
_JSON_ONLY = Facts(supports_json_object=True)
_JSON_AND_TOOLS = Facts(supports_function_calling=True, supports_json_object=True)
_MODERN = Facts(supports_function_calling=True, supports_response_schema=True, supports_json_object=True)

_AZURE_VERSION = Variable(("AZURE_API_VERSION", "OPENAI_API_VERSION"), "2024-10-21")

_TABLE = (
    Provider(
        "openai",
        "https://api.openai.com/v1",
        key_env=("OPENAI_API_KEY",),
        base_env=("OPENAI_API_BASE", "OPENAI_BASE_URL"),
        facts=replace(_MODERN, n=True),
        limit=None,
    ),
    Provider(
        "anthropic",
        "https://api.anthropic.com/v1",
        key_env=("ANTHROPIC_API_KEY",),
        base_env=("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"),
        wire="anthropic",
        auth="x-api-key",
        version="/v1",
        facts=Facts(supports_function_calling=True, supports_vision=True),
        hosts=Facts(True, True, False, True, True),
    ),
    Provider(
        "gemini",
        "https://generativelanguage.googleapis.com/v1beta",
        key_env=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        base_env=("GEMINI_API_BASE",),
        aliases=("google",),
        wire="gemini",
        auth="x-goog-api-key",
        version="/v1beta",
        facts=Facts(supports_json_object=True),
        hosts=_ONE_AT_A_TIME,
    ),
    Provider(
        "azure",
        "{base}/openai/deployments/{model}",
        key_env=("AZURE_API_KEY", "AZURE_OPENAI_API_KEY"),
        auth="api-key",
        variables={"base": Variable(("AZURE_API_BASE", "AZURE_OPENAI_ENDPOINT"))},
        query={"api-version": _AZURE_VERSION},
        facts=replace(_MODERN, n=True),
        limit=None,
    ),
    # On the user's own machines: no key unless one is set.
    Provider(
        "ollama",
        "http://localhost:11434/v1",
        key_env=("OLLAMA_API_KEY",),
        base_env=("OLLAMA_API_BASE",),
        aliases=("ollama_chat",),
        needs_key=False,
        version="/v1",
        facts=_GUIDED,
        hosts=_ONE_AT_A_TIME,
    ),
    Provider(
        "vllm",
        "http://localhost:8000/v1",
        key_env=("HOSTED_VLLM_API_KEY", "VLLM_API_KEY"),
        base_env=("HOSTED_VLLM_API_BASE", "VLLM_API_BASE"),
        aliases=("hosted_vllm",),
        needs_key=False,
        version="/v1",
        facts=_GUIDED_N,
        hosts=_ALL,
    ),
    Provider(
        "sglang",
        "http://localhost:30000/v1",
        key_env=("SGLANG_API_KEY",),
        base_env=("SGLANG_API_BASE",),
        needs_key=False,
        version="/v1",
        facts=_GUIDED_N,
        hosts=_ALL,
    ),
    Provider(
        "llama_cpp",
        "http://localhost:8080/v1",
        key_env=("LLAMA_CPP_API_KEY",),
        base_env=("LLAMA_CPP_API_BASE",),
        aliases=("llamacpp",),
        needs_key=False,
        version="/v1",
        facts=_GUIDED,
        hosts=_ONE_AT_A_TIME,
    ),
    Provider(
        "lm_studio",
        "http://localhost:1234/v1",
        key_env=("LM_STUDIO_API_KEY",),
        base_env=("LM_STUDIO_API_BASE",),
        needs_key=False,
        version="/v1",
        facts=Facts(supports_response_schema=True),
        hosts=Facts(True, True, False, True, True),
    ),
    # Hosted, OpenAI-compatible.
    Provider(
        "openrouter",
        "https://openrouter.ai/api/v1",
        key_env=("OPENROUTER_API_KEY",),
        base_env=("OPENROUTER_API_BASE",),
        facts=_JSON_ONLY,
        hosts=_ONE_AT_A_TIME,
    ),
    Provider(
        "groq",
        "https://api.groq.com/openai/v1",
        key_env=("GROQ_API_KEY",),
        base_env=("GROQ_API_BASE",),
        facts=_JSON_AND_TOOLS,
        hosts=_ONE_AT_A_TIME,
    ),
    Provider(
        "together_ai",
        "https://api.together.xyz/v1",
        key_env=("TOGETHER_API_KEY", "TOGETHERAI_API_KEY", "TOGETHER_AI_API_KEY"),
        base_env=("TOGETHER_API_BASE", "TOGETHER_AI_API_BASE"),
        aliases=("together",),
        facts=replace(_JSON_ONLY, n=True),
        hosts=_ALL,
    ),
    Provider(
        "deepseek",
        "https://api.deepseek.com/v1",
        key_env=("DEEPSEEK_API_KEY",),
        base_env=("DEEPSEEK_API_BASE",),
        facts=_JSON_AND_TOOLS,
        hosts=_NO_SCHEMA,
        keeps_reasoning=True,
    ),
    Provider(
        "mistral",
        "https://api.mistral.ai/v1",
        key_env=("MISTRAL_API_KEY",),
        base_env=("MISTRAL_API_BASE",),
        facts=replace(_MODERN, n=True),
        hosts=_ALL,
        renames={"seed": "random_seed"},
        # It reports usage in a stream unasked, and refuses fields that it does not know.
        drops=frozenset({"stream_options"}),
    ),
    Provider(
        "xai",
        "https://api.x.ai/v1",
        key_env=("XAI_API_KEY",),
        base_env=("XAI_API_BASE",),
        facts=_MODERN,
        hosts=_ONE_AT_A_TIME,
    ),
    Provider(
        "fireworks_ai",
        "https://api.fireworks.ai/inference/v1",
        key_env=("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"),
        base_env=("FIREWORKS_API_BASE", "FIREWORKS_AI_API_BASE"),
        aliases=("fireworks",),
        facts=_GUIDED_N,
        hosts=_ALL,
    ),
    Provider(
        "cerebras",
        "https://api.cerebras.ai/v1",
        key_env=("CEREBRAS_API_KEY",),
        base_env=("CEREBRAS_API_BASE",),
        facts=_GUIDED,
        hosts=_ONE_AT_A_TIME,
        limit=None,
    ),
    Provider(
        "perplexity",
        "https://api.perplexity.ai",
        key_env=("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"),
        base_env=("PERPLEXITY_API_BASE",),
        facts=Facts(supports_response_schema=True),
        hosts=Facts(False, True, False, True, True),
        drops=frozenset({"stream_options"}),
    ),
    Provider(
        "nvidia_nim",
        "https://integrate.api.nvidia.com/v1",
        key_env=("NVIDIA_NIM_API_KEY", "NVIDIA_API_KEY"),
        base_env=("NVIDIA_NIM_API_BASE",),
        hosts=_NO_SCHEMA,
    ),
    Provider(
        "moonshot",
        "https://api.moonshot.ai/v1",
        key_env=("MOONSHOT_API_KEY",),
        base_env=("MOONSHOT_API_BASE",),
        facts=_JSON_AND_TOOLS,
        keeps_reasoning=True,
    ),
    Provider(
        "databricks",
        "{base}/serving-endpoints",
        key_env=("DATABRICKS_TOKEN", "DATABRICKS_API_KEY"),
        variables={"base": Variable(("DATABRICKS_API_BASE", "DATABRICKS_HOST"))},
        hosts=_ONE_AT_A_TIME,
    ),
    # Clouds, through their OpenAI-compatible doors.
    Provider(
        "bedrock",
        "https://bedrock-runtime.{region}.amazonaws.com/openai/v1",
        key_env=("AWS_BEARER_TOKEN_BEDROCK",),
        base_env=("BEDROCK_API_BASE",),
        variables={"region": Variable(("AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION"), "us-east-1")},
        hosts=Facts(True, False, False, True, True),
        limit=None,
    ),
    Provider(
        "vertex_ai",
        "https://{location}-aiplatform.googleapis.com/v1/projects/{project}/locations/{location}/endpoints/openapi",
        key_env=("VERTEXAI_ACCESS_TOKEN", "VERTEX_ACCESS_TOKEN", "GOOGLE_ACCESS_TOKEN"),
        base_env=("VERTEXAI_API_BASE",),
        aliases=("vertex",),
        variables={
            "project": Variable(("VERTEXAI_PROJECT", "VERTEX_PROJECT", "GOOGLE_CLOUD_PROJECT")),
            "location": Variable(
                ("VERTEXAI_LOCATION", "VERTEX_LOCATION", "GOOGLE_CLOUD_LOCATION"), "us-central1"
            ),
        },
        facts=_JSON_ONLY,
        hosts=_ONE_AT_A_TIME,
    ),
)
_rows: dict[str, Provider] = {prefix: row for row in _TABLE for prefix in (row.name, *row.aliases)}
