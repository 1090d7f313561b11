"""Who answers a model string: the endpoint that a row of the table of providers becomes.

"groq/llama-3.3-70b-versatile" is row `groq` and model "llama-3.3-70b-versatile".
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace

from dspx.errors import LMConfigurationError, LMNotConfiguredError
from dspx.lm.facts import UNKNOWN, Facts, facts_of, is_reasoning_model, registered_facts
from dspx.lm.providers import Provider, provider_named, provider_names
from dspx.lm.wire import WIRES
from dspx.lm.wire.base import Endpoint


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


# ---------------------------------------------------------------- the model string


def _row_and_name(model: str, api_base: str | None) -> tuple[Provider, str]:
    prefix, slash, rest = model.partition("/")
    if not model or (slash and not rest):
        raise LMConfigurationError(
            f"{model!r} names no model; write it as 'provider/model', e.g. 'openai/gpt-4o-mini'."
        )
    if not slash:
        _doubt(model, api_base)
        return _openai(), model
    row = provider_named(prefix)
    if row is not None:
        return row, rest
    if api_base:
        # Whoever says where to ask means a server of theirs, and "meta-llama/Llama-3.1-8B" is its model's name.
        return _SERVER, model
    raise LMConfigurationError(_unknown_prefix(prefix, model), model=model)


# A server named only by its address: nothing is assumed of it.
_SERVER = Provider("openai_compatible", needs_key=False, limit=None)


def _openai() -> Provider:
    row = provider_named("openai")
    assert row is not None
    return row


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

    near = difflib.get_close_matches(prefix.lower(), provider_names(), n=3, cutoff=0.5)
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
