"""A prompt of one of dspx's adapters → the question, the outputs wanted, and the examples shown.

The layouts of ChatAdapter, JSONAdapter, BAMLAdapter, XMLAdapter and TwoStepAdapter are understood.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal

import orjson

from dspx.testing.prompt.wanted import Wanted, wanted

Layout = Literal["chat", "json", "xml", "lines"]
Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """One example in the prompt: a user turn and the assistant's answer to it. Missing fields are left out."""

    inputs: dict[str, str]
    outputs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asking:
    """What a prompt asks for. `extracts`: the answer is in the text already, in lines `name: value`."""

    layout: Layout
    inputs: dict[str, str]
    outputs: dict[str, Wanted]
    shown: list[Shown] = field(default_factory=list[Shown])
    instructions: str = ""
    extracts: bool = False


def read_prompt(messages: Sequence[Message]) -> Asking | None:
    """What these messages ask for; None where they are in none of the layouts."""
    system = next(
        (text_of(message) for message in messages if message.get("role") in ("system", "developer")), ""
    )
    header = _read_system(system)
    if header is None:
        return None
    turns = [message for message in messages if message.get("role") in ("user", "assistant")]
    layout = _layout(header, text_of(turns[-1]) if turns else "")
    asked = _question_at(turns, layout)
    if asked is None:
        return None
    question = read_inputs(text_of(turns[asked]), header.inputs, layout)
    shown: list[Shown] = []
    for user, assistant in pairwise(turns[:asked]):
        if user.get("role") == "user" and assistant.get("role") == "assistant":
            inputs = read_inputs(text_of(user), header.inputs, layout)
            outputs = _read_outputs(text_of(assistant), header.outputs, layout)
            if outputs:
                shown.append(Shown(inputs, outputs))
    return Asking(layout, question, header.outputs, shown, header.instructions, header.extracts)


def text_of(message: Message) -> str:
    """A message's text; what else it holds is left out."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    return "".join(str(block.get("text", "")) for block in content or () if isinstance(block, Mapping))


# ---------------------------------------------------------------- the system message


@dataclass(frozen=True, slots=True)
class _Header:
    layout: Layout
    inputs: tuple[str, ...]
    outputs: dict[str, Wanted]
    instructions: str
    extracts: bool


_FIELD = re.compile(r"^\d+\. `(\w+)` \((.+?)\):(?= |$)", re.MULTILINE)
_CONSTRAINTS = re.compile(r"^Constraints: (.*)$", re.MULTILINE)
_NOTE = re.compile(r"\{(\w+)\}\s+# note: the value you produce (.*)$", re.MULTILINE)
_LISTS = (
    ("Your input fields are:", "Your output fields are:", "All interactions will be structured"),
    ("As input, you will be provided with:", "Your outputs must contain:", "You should lay out your outputs"),
)
_OBJECTIVES = ("your objective is:", "Specific instructions:")


@lru_cache(maxsize=256)
def _read_system(system: str) -> _Header | None:
    for number, (first, second, third) in enumerate(_LISTS):
        _, found, rest = system.partition(first)
        inputs, also, rest = rest.partition(second)
        if found and also:
            outputs, _, rest = rest.partition(third)
            return _header(inputs, outputs, rest, plain=number == 1)
    return None


def _header(inputs: str, outputs: str, rest: str, *, plain: bool) -> _Header:
    structure, instructions = rest, ""
    for objective in _OBJECTIVES:
        structure, found, instructions = rest.partition(objective)
        if found:
            break
    notes = _notes(structure)
    fields: dict[str, Wanted] = {}
    found = list(_FIELD.finditer(outputs))
    for place, match in enumerate(found):
        end = found[place + 1].start() if place + 1 < len(found) else len(outputs)
        limits = _CONSTRAINTS.search(outputs, match.end(), end)
        name, type_ = match[1], match[2]
        template = re.search(rf"^(<{name}>.*</{name}>)$", structure, re.MULTILINE)
        fields[name] = wanted(
            name, type_, notes.get(name, ""), limits[1] if limits else "", template[1] if template else None
        )
    layout: Layout = "lines" if plain else _layout_of(structure)
    names = tuple(match[1] for match in _FIELD.finditer(inputs))
    extracts = "extract the fields from the text verbatim" in instructions
    return _Header(layout, names, fields, instructions.strip(), extracts)


def _notes(structure: str) -> dict[str, str]:
    """What is said of the values of each field."""
    notes = dict(_NOTE.findall(structure))
    _, found, written = structure.partition("Outputs will be a JSON object")
    start = written.find("\n{")
    if found and start >= 0:
        # Inside JSON the notes are JSON strings, with their quotes escaped.
        for text in _first_object(written[start + 1 :]).values():
            notes.update(_NOTE.findall(str(text)))
    return notes


def _first_object(text: str) -> dict[str, Any]:
    import json

    try:
        value, _ = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _layout_of(structure: str) -> Layout:
    if "Outputs will be a JSON object" in structure:
        return "json"
    return "chat" if "[[ ## " in structure else "xml"


def _layout(header: _Header, last: str) -> Layout:
    """How to answer: as the last message requires, else as the system message says."""
    requirement = last.rpartition("\n\n")[2] if "Respond with" in last else ""
    if requirement.startswith("Respond with a JSON object"):
        return "json"
    if requirement.startswith("Respond with the corresponding output fields wrapped in XML tags"):
        return "xml"
    if requirement.startswith("Respond with the corresponding output fields, starting with"):
        return "chat"
    return header.layout


# ---------------------------------------------------------------- the turns

_SECTION = re.compile(r"^\[\[ ## (\w+) ## \]\][ \t]*", re.MULTILINE)
_TAG = re.compile(r"<(\w+)>(.*?)</\1>", re.DOTALL)
_GAP = "Not supplied for this particular example."


def _question_at(turns: Sequence[Message], layout: Layout) -> int | None:
    """Where the question stands: the last user turn, or an earlier one where that only objects to an answer."""
    users = [place for place, turn in enumerate(turns) if turn.get("role") == "user"]
    for place in reversed(users):
        if not text_of(turns[place]).startswith("That answer could not be read."):
            return place
    return users[-1] if users else None


def read_inputs(text: str, names: Sequence[str], layout: Layout) -> dict[str, str]:
    """The inputs of one user turn, as they are written there."""
    cut = text.rfind("\n\nRespond with ")
    if cut >= 0:
        text = text[:cut]
    if layout == "xml":
        found = dict(_TAG.findall(text))
    elif layout == "lines":
        found = _lines(text, names)
    else:
        found = sections(text)
    return {name: found[name].strip() for name in names if name in found}


def _read_outputs(text: str, outputs: Mapping[str, Wanted], layout: Layout) -> dict[str, Any]:
    found: dict[str, Any]
    if layout == "json":
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            value = None
        found = value if isinstance(value, dict) else {}
    elif layout == "xml":
        found = dict(_TAG.findall(text))
    elif layout == "lines":
        found = _lines(text, tuple(outputs))
    else:
        found = sections(text)
    values = {name: _stripped(found[name]) for name in outputs if name in found}
    return {name: value for name, value in values.items() if value is not None and value != _GAP}


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def sections(text: str) -> dict[str, str]:
    """What stands under each `[[ ## name ## ]]`."""
    parts = _SECTION.split(text)
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def _lines(text: str, names: Sequence[str]) -> dict[str, str]:
    """What follows `name: ` at the start of a paragraph, up to the next such name."""
    if not names:
        return {}
    parts = re.split(rf"(?:^|\n)({'|'.join(map(re.escape, names))}): ?", text)
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def extracted(text: str, names: Sequence[str]) -> dict[str, str]:
    """The values that a free text states in lines `name: value`."""
    return _lines(text, names)
