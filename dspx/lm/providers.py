"""Who answers a model string: the table of providers, and how a row of it becomes an endpoint.

"groq/llama-3.3-70b-versatile" is row `groq` and model "llama-3.3-70b-versatile". The rows are data: a new
OpenAI-compatible server is one more row (`register_provider`), never code.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dspx.errors import LMConfigurationError, LMNotConfiguredError
from dspx.lm.facts import UNKNOWN, Facts, facts_of, is_reasoning_model, registered_facts
from dspx.lm.wire import WIRES
from dspx.lm.wire.base import Endpoint

__all__ = [
    "Endpoint",
    "Facts",
    "Provider",
    "Variable",
    "is_reasoning_model",
    "provider_named",
    "provider_names",
    "register_provider",
    "resolve",
]


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


def resolve(
    model: str,
    *,
    model_type: str = "chat",
    api_base: str | None = None,
    api_key: str | None = None,
    api_version: str | None = None,
    headers: Mapping[str, str] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Endpoint:
    """The endpoint that answers this model string.

    What is passed here goes before the environment, and that before the row. An `api_base` (passed or from the
    environment) never demands a key. LMNotConfiguredError names the variable that is missing;
    LMConfigurationError where the prefix is unknown, and no `api_base` says where else to ask.
    """
    row, name = _row_and_name(model, api_base)
    given = api_base or _first_set(row.base_env, environ)
    key = api_key or _first_set(row.key_env, environ)
    base_url, _, tail = _address(row, name, given, environ, model).partition("?")
    if key is None and row.needs_key and given is None:
        raise LMNotConfiguredError(
            f"No key for {row.name}: set the environment variable {' or '.join(row.key_env)}, "
            "or pass api_key= to the LM.",
            model=model,
            provider=row.name,
        )
    return Endpoint(
        provider=row.name,
        model=name,
        wire=WIRES[_wire_name(row, model_type, model)],
        base_url=base_url,
        api_key=key,
        headers=_headers(row, headers),
        query={**_query(row, base_url, api_version, environ), **_parameters(tail)},
        facts=_facts(row, name, model_type, elsewhere=given is not None and "base" not in row.variables),
        auth=row.auth,
        renames=_renames(row, name),
        drops=row.drops,
        keeps_reasoning=row.keeps_reasoning,
    )


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


# ---------------------------------------------------------------- the model string


def _row_and_name(model: str, api_base: str | None) -> tuple[Provider, str]:
    prefix, slash, rest = model.partition("/")
    if not model or (slash and not rest):
        raise LMConfigurationError(
            f"{model!r} names no model; write it as 'provider/model', e.g. 'openai/gpt-4o-mini'."
        )
    if not slash:
        _doubt(model, api_base)
        return _rows["openai"], model
    row = _rows.get(prefix)
    if row is not None:
        return row, rest
    if api_base:
        # Whoever says where to ask means a server of theirs, and "meta-llama/Llama-3.1-8B" is its model's name.
        return _SERVER, model
    raise LMConfigurationError(_unknown_prefix(prefix, model), model=model)


def _doubt(model: str, api_base: str | None) -> None:
    """A bare name goes to OpenAI. A bare name of somebody else's model is a forgotten prefix."""
    for start, provider in (("claude", "anthropic"), ("gemini", "gemini")):
        if model.startswith(start) and not api_base:
            raise LMConfigurationError(
                f"{model!r} has no provider, and names without one go to OpenAI. Write '{provider}/{model}'.",
                model=model,
            )


def _unknown_prefix(prefix: str, model: str) -> str:
    import difflib

    near = difflib.get_close_matches(prefix.lower(), list(_rows), n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(repr(name) for name in near)}? " if near else ""
    return (
        f"No provider is called {prefix!r}. {hint}Known: {', '.join(provider_names())}. "
        f"For an OpenAI-compatible server write 'openai/{model}' with api_base='http://…/v1'; "
        "for anything that LiteLLM knows, pass engine='litellm'."
    )


# ---------------------------------------------------------------- from a row to an endpoint


def _address(row: Provider, name: str, given: str | None, environ: Mapping[str, str], model: str) -> str:
    if given is not None and "base" not in row.variables:
        return _versioned(_bare(given), row.version)
    if row.base_url is None:
        raise LMNotConfiguredError(
            f"No address for {row.name}: {_ways_to_set(row.base_env)}pass api_base= to the LM.",
            model=model,
            provider=row.name,
        )
    values = {"model": name}
    for placeholder, variable in row.variables.items():
        value = given if placeholder == "base" and given else _first_set(variable.env, environ)
        value = value or variable.default
        if value is None:
            raise LMNotConfiguredError(
                f"{row.name} needs its {placeholder}: {_ways_to_set(variable.env)}pass api_base= to the LM.",
                model=model,
                provider=row.name,
            )
        values[placeholder] = _bare(value) if placeholder == "base" else value
    whole = values.get("base", "")
    return whole if _WHOLE.search(whole) else row.base_url.format(**values)


# An address that is complete already, as Azure's and Databricks' portals show it.
_WHOLE = re.compile(r"/(?:openai/v1|openai/deployments/.+|serving-endpoints)$")


def _ways_to_set(names: tuple[str, ...]) -> str:
    return f"set the environment variable {' or '.join(names)}, or " if names else ""


def _bare(address: str) -> str:
    """An address as people paste it, without the path that the wire adds itself."""
    if "://" not in address:
        local = address.startswith(("localhost", "127.", "0.0.0.0"))
        address = f"{'http' if local else 'https'}://{address}"
    address, mark, query = address.partition("?")
    address = address.rstrip("/")
    for path in ("/chat/completions", "/completions", "/responses", "/messages"):
        address = address.removesuffix(path)
    return address + mark + query


def _versioned(address: str, version: str | None) -> str:
    path, mark, query = address.partition("?")
    if version is None or re.search(r"/v\d+[a-z]*\d*$", path):
        return address
    return path + version + mark + query


def _wire_name(row: Provider, model_type: str, model: str) -> str:
    if model_type in ("chat", "embedding"):
        return row.wire
    special = {"responses": "openai_responses", "text": "openai_text"}.get(model_type)
    if special is None:
        raise LMConfigurationError(
            f"model_type is 'chat', 'responses' or 'text', not {model_type!r}.", model=model
        )
    if row.wire != "openai_chat":
        raise LMConfigurationError(
            f"model_type={model_type!r} is a protocol of OpenAI and of servers compatible with it; "
            f"{row.name} speaks its own. Leave model_type out.",
            model=model,
        )
    return special


def _headers(row: Provider, given: Mapping[str, str] | None) -> dict[str, str]:
    headers = dict(row.headers)
    for name, value in (given or {}).items():
        headers[name.lower()] = value
    return headers


def _query(
    row: Provider, base_url: str, api_version: str | None, environ: Mapping[str, str]
) -> dict[str, str]:
    query: dict[str, str] = {}
    for name, variable in row.query.items():
        value = (api_version if name == "api-version" else None) or _first_set(variable.env, environ)
        # Azure's newer address, …/openai/v1, has no versions by date.
        if value is None and base_url.endswith("/v1"):
            continue
        value = value or variable.default
        if value is not None:
            query[name] = value
    return query


def _parameters(query: str) -> dict[str, str]:
    if not query:
        return {}
    from urllib.parse import parse_qsl

    return dict(parse_qsl(query))


def _facts(row: Provider, name: str, model_type: str, *, elsewhere: bool) -> Facts:
    """The model's own facts as far as the endpoint allows them, or the row's assumptions."""
    known = facts_of(name)
    told = registered_facts(name)
    if told is not None:
        facts = told
    elif known is None:
        # A server of the user's own behind a provider's prefix is not that provider.
        facts = UNKNOWN if elsewhere and row.base_url is not None and row.needs_key else row.facts
    else:
        facts = _both(known, row.hosts)
    return replace(facts, n=False) if model_type == "responses" else facts


def _both(model: Facts, host: Facts | None) -> Facts:
    if host is None:
        return model
    return replace(
        model,
        supports_function_calling=model.supports_function_calling and host.supports_function_calling,
        supports_response_schema=model.supports_response_schema and host.supports_response_schema,
        supports_json_object=host.supports_json_object,
        supports_reasoning=model.supports_reasoning and host.supports_reasoning,
        supports_vision=model.supports_vision and host.supports_vision,
        n=host.n,
    )


def _renames(row: Provider, name: str) -> Mapping[str, str]:
    if row.limit == "max_tokens":
        return {"max_completion_tokens": "max_tokens", **row.renames}
    if is_reasoning_model(name):
        return {"max_tokens": "max_completion_tokens", **row.renames}
    return row.renames


def _first_set(names: tuple[str, ...], environ: Mapping[str, str]) -> str | None:
    return next((environ[name] for name in names if environ.get(name)), None)


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

# A server named only by its address: nothing is assumed of it.
_SERVER = Provider("openai_compatible", needs_key=False, limit=None)

_rows: dict[str, Provider] = {prefix: row for row in _TABLE for prefix in (row.name, *row.aliases)}
