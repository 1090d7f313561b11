"""Content blocks on their way through text: marked where a value is rendered, split out when the message is made."""

from __future__ import annotations

import json
from typing import Any

START = "<<CUSTOM-TYPE-START-IDENTIFIER>>"
END = "<<CUSTOM-TYPE-END-IDENTIFIER>>"


def marked(blocks: Any) -> str:
    """Content blocks as text that `content_of` finds again, also inside JSON."""
    return f"{START}{json.dumps(blocks, ensure_ascii=False)}{END}"


def content_of(text: str) -> str | list[dict[str, Any]]:
    """A message's content: the text itself, or blocks where it has marked ones."""
    if START not in text:
        return text
    blocks: list[dict[str, Any]] = []
    found, position = False, 0
    while (start := text.find(START, position)) >= 0:
        end = text.find(END, start)
        if end < 0:
            break
        _add_text(blocks, text[position:start])
        _add_marked(blocks, text[start + len(START) : end])
        found, position = True, end + len(END)
    if not found:
        return text
    _add_text(blocks, text[position:])
    return blocks


def split_messages(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages with the users' marked texts as content blocks; messages without any are the same objects."""
    return [_split(message) for message in messages]


def blocks_in(text: str) -> list[dict[str, Any]]:
    """The content blocks marked in a text, without the text around them."""
    content = content_of(text)
    return [] if isinstance(content, str) else [block for block in content if block.get("type") != "text"]


def _split(message: dict[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    if message.get("role") != "user" or not isinstance(content, str) or START not in content:
        return message
    return {**message, "content": content_of(content)}


def _add_text(blocks: list[dict[str, Any]], text: str) -> None:
    if text:
        blocks.append({"type": "text", "text": text})


def _add_marked(blocks: list[dict[str, Any]], payload: str) -> None:
    """The blocks of one marker. What is no list of blocks stays text: it came from somebody's data."""
    value = _loaded(payload)
    candidates: list[Any] = value if isinstance(value, list) else [value]
    if candidates and all(isinstance(block, dict) and "type" in block for block in candidates):
        blocks.extend(candidates)
    else:
        _add_text(blocks, payload)


def _loaded(payload: str) -> Any:
    """The JSON of a marker; a marker inside a JSON string has its quotes escaped once more."""
    import orjson

    try:
        return orjson.loads(payload)
    except ValueError:
        pass
    try:
        return orjson.loads(orjson.loads(f'"{payload}"'))
    except ValueError:
        return None
