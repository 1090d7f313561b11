"""What a model can do, by its name: a small table of facts, and what to assume of a model not in it."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """What a model, behind its endpoint, can do. Unknown means no.

    `n`: the server itself makes several completions of one request; where it does not, dspx sends `n` requests.
    `context_window` and `max_output` are in tokens.
    """

    supports_function_calling: bool = False
    supports_response_schema: bool = False
    supports_json_object: bool = False
    supports_reasoning: bool = False
    supports_vision: bool = False
    n: bool = False
    context_window: int | None = None
    max_output: int | None = None


UNKNOWN = Facts()


def is_reasoning_model(model: str) -> bool:
    """Whether this is one of OpenAI's models that think first: o1, o3, o4, o5 and every gpt-5 or later but `-chat`.

    They take `max_completion_tokens`, and no temperature but 1.
    """
    name = base_name(model)
    return bool(_REASONING.match(name)) and "-chat" not in name


def facts_of(model: str) -> Facts | None:
    """The table's row for this model; None where it has none. Any prefix, date or `ft:` is ignored."""
    name = base_name(model)
    known = registered_facts(model)
    return known or next((facts for pattern, facts in _MODELS if pattern.match(name)), None)


def registered_facts(model: str) -> Facts | None:
    """What `register_facts` was told of this model, under its own name or with its path."""
    return _registered.get(model) or _registered.get(base_name(model))


def register_facts(model: str, facts: Facts) -> None:
    """Say what a model can do that the table does not know, or knows wrongly, wherever it is served."""
    _registered[model] = facts


def base_name(model: str) -> str:
    """The model's own name: "openrouter/openai/gpt-4o" → "gpt-4o", "ft:gpt-4o:org::id" → "gpt-4o"."""
    name = model.rpartition("/")[2].lower()
    if name.startswith("ft:"):
        name = name[3:].partition(":")[0]
    # Bedrock writes "us.anthropic.claude-…-v1:0".
    return name.rpartition("anthropic.")[2].rpartition("openai.")[2]


_REASONING = re.compile(r"(?:o[1345]|gpt-(?:[5-9]|[1-9]\d+))(?:[-.]|$)")

_registered: dict[str, Facts] = {}


def _model(pattern: str, can: str, context: int | None, output: int | None) -> tuple[re.Pattern[str], Facts]:
    """One row. `can`: F functions, S response schema, J json_object, R reasoning, V vision, N several completions."""
    names = {
        "F": "supports_function_calling",
        "S": "supports_response_schema",
        "J": "supports_json_object",
        "R": "supports_reasoning",
        "V": "supports_vision",
        "N": "n",
    }
    flags = {names[letter]: True for letter in can}
    return re.compile(pattern), Facts(**flags, context_window=context, max_output=output)


# The first row that matches wins. What the providers publish of their models, as known in November 2026.
_MODELS = (
    _model(r"gpt-.*(audio|realtime|tts)", "FN", 128_000, 16_384),
    _model(r"o\d.*-deep-research", "RVN", 200_000, 100_000),
    _model(r"o1-(mini|preview)", "RN", 128_000, 65_536),
    _model(r"o3-mini", "FSJRN", 200_000, 100_000),
    _model(r"o[1345](-|$)", "FSJRVN", 200_000, 100_000),
    _model(r"gpt-[5-9][\d.]*-chat", "FSJRVN", 128_000, 16_384),
    _model(r"gpt-5\.[45]-pro", "FJRVN", 1_050_000, 128_000),
    _model(r"gpt-5\.[45](-\d|$)", "FSJRVN", 1_050_000, 128_000),
    _model(r"gpt-5\.[6-9]", "FSJRVN", 922_000, 128_000),
    _model(r"gpt-5-pro", "FSJRVN", 400_000, 272_000),
    _model(r"gpt-5[\d.]*(-|$)", "FSJRVN", 272_000, 128_000),
    _model(r"gpt-(?:[6-9]|[1-9]\d+)[\d.]*(-|$)", "FSJRVN", 922_000, 128_000),
    _model(r"gpt-4\.1", "FSJVN", 1_047_576, 32_768),
    _model(r"gpt-4o-2024-05-13", "FJVN", 128_000, 4_096),
    _model(r"(?:chat)?gpt-4o", "FSJVN", 128_000, 16_384),
    _model(r"gpt-4-turbo", "FJVN", 128_000, 4_096),
    _model(r"gpt-4-(1106|0125)", "FJN", 128_000, 4_096),
    _model(r"gpt-4(-|$)", "FN", 8_192, 4_096),
    _model(r"gpt-3\.5-turbo-instruct", "N", 4_096, 4_096),
    _model(r"gpt-3\.5", "FJN", 16_385, 4_096),
    _model(r"gpt-oss", "FSJR", 131_072, 65_536),
    _model(r"claude-3-(opus|sonnet|haiku)", "FV", 200_000, 4_096),
    _model(r"claude-3[-.]5", "FV", 200_000, 8_192),
    _model(r"claude-3[-.]7|claude-(opus|sonnet)-4-(0|20)", "FRV", 200_000, 32_000),
    _model(r"claude-opus-4-1", "FRV", 200_000, 32_000),
    _model(r"claude-(opus|sonnet|haiku)-4-5", "FSRV", 200_000, 64_000),
    _model(r"claude-", "FSRV", 1_000_000, 128_000),
    _model(r"gemini-(1|exp)", "FJV", 1_048_576, 8_192),
    _model(r"gemini-(.*-tts|omni|gemma)", "", None, 8_192),
    _model(r"gemini-2\.0", "FSJV", 1_048_576, 8_192),
    _model(r"gemini-", "FSJRV", 1_048_576, 65_536),
    _model(r"deepseek-v4-flash|deepseek-flash", "FJRV", 1_000_000, 393_216),
    _model(r"deepseek-v4", "FJR", 1_000_000, 393_216),
    _model(r"deepseek-(reasoner|r1)", "JR", 131_072, 65_536),
    _model(r"deepseek-(chat|v3)", "FJ", 131_072, 8_192),
    _model(r"(mistral-(large|medium|small)|pixtral|ministral)", "FSJV", None, None),
    _model(r"magistral", "FSJV", None, None),
    _model(r"codestral-mamba|open-mi[sx]tral", "J", None, None),
    _model(r"codestral|devstral|voxtral", "FSJ", None, None),
    _model(r"grok-.*multi-agent", "SJRV", None, None),
    _model(r"grok-.*non-reasoning", "FSJV", None, None),
    _model(r"grok-", "FSJRV", None, None),
)
