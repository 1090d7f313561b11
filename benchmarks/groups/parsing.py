"""Answers: six typed fields read from the chat form and from JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from benchmarks.cases import Times, case
from benchmarks.material import TYPED_CHAT, TYPED_FIELDS, TYPED_JSON, Mood, Place, typed_signature
from benchmarks.side import Side
from benchmarks.timing import per_call

HEADER = re.compile(r"^\[\[ ## (\w+) ## \]\]\n", re.MULTILINE)


def _validators() -> dict[str, Any]:
    from typing import Literal

    from pydantic import TypeAdapter

    kinds = {
        "place": Place,
        "mood": Mood,
        "kind": Literal["hotel", "restaurant", "museum"],
        "stars": int,
        "price": float,
        "tags": list[str],
    }
    return {name: TypeAdapter(kind) for name, kind in kinds.items()}


def _chat_floor(side: Side) -> float:
    validators = _validators()
    as_json = {"place", "tags"}

    def one() -> None:
        parts = HEADER.split(TYPED_CHAT)
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            if name in validators:
                text = text.strip()
                validators[name].validate_python(json.loads(text) if name in as_json else text)

    return per_call(side, one)


def _json_floor(side: Side) -> float:
    validators = _validators()

    def one() -> None:
        for name, value in json.loads(TYPED_JSON).items():
            validators[name].validate_python(value)

    return per_call(side, one)


def _parse(side: Side, adapter: Any, completion: str) -> float:
    report = side.once("signature", lambda: typed_signature(side.api))
    values = adapter.parse(report, completion)
    assert values.keys() == TYPED_FIELDS.keys()
    assert values["place"].name == "Porto"
    return per_call(side, lambda: adapter.parse(report, completion))


@case(
    "parse.chat",
    "parse six typed fields: chat",
    target=Times(8),
    floor=_chat_floor,
    floor_title="a regex, json.loads and pydantic's validators",
)
def chat(side: Side) -> float:
    return _parse(side, side.once("chat", side.api.ChatAdapter), TYPED_CHAT)


@case(
    "parse.json",
    "parse six typed fields: JSON",
    target=Times(8),
    floor=_json_floor,
    floor_title="json.loads and pydantic's validators",
)
def from_json(side: Side) -> float:
    return _parse(side, side.once("json", side.api.JSONAdapter), TYPED_JSON)
