"""The neutral message: OpenAI Chat Completions' dicts, and how wires of other protocols take them apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from dspx.errors import UsageError

Message = dict[str, Any]
Block = dict[str, Any]

SYSTEM_ROLES = ("system", "developer")


@dataclass(frozen=True, slots=True)
class Media:
    """An image, a sound or a file: its bytes as base64 text, or where they lie (`url`, `file_id`)."""

    mime: str | None = None
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    filename: str | None = None

    @property
    def data_uri(self) -> str | None:
        return (
            None
            if self.data is None
            else f"data:{self.mime or 'application/octet-stream'};base64,{self.data}"
        )


def blocks_of(content: Any) -> list[Block]:
    """A message's content as a list of blocks, without empty texts."""
    if content is None:
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    blocks = [{"type": "text", "text": item} if isinstance(item, str) else item for item in content]
    return [block for block in blocks if block.get("type") != "text" or block.get("text")]


def text_of(content: Any) -> str:
    """A message's content as text: blocks joined, everything that is not text left out."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(
        block.get("text") or "" for block in blocks_of(content) if block.get("type") in TEXT_BLOCKS
    )


TEXT_BLOCKS = ("text", "input_text", "output_text")


def split_system(messages: Sequence[Message]) -> tuple[list[Block], list[Message]]:
    """The system messages' blocks, wherever they stand, and the rest of the conversation."""
    system: list[Block] = []
    rest: list[Message] = []
    for message in messages:
        if message.get("role") in SYSTEM_ROLES:
            system += blocks_of(message.get("content"))
        else:
            rest.append(message)
    return system, rest


def tool_calls_of(message: Message) -> Iterator[tuple[str | None, str, str]]:
    """The calls in an assistant message: id, name, arguments as JSON text."""
    for call in message.get("tool_calls") or ():
        function = call.get("function") or call
        arguments = function.get("arguments", function.get("args"))
        text = arguments if isinstance(arguments, str) else orjson.dumps(arguments or {}).decode()
        yield call.get("id"), function["name"], text or "{}"


def arguments_of(text: str) -> dict[str, Any]:
    """A tool call's arguments as a dict; what a model wrote that is no JSON object goes under one name."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = text
    return value if isinstance(value, dict) else {"arguments": value}


def thinking_blocks_of(message: Message) -> Sequence[Block]:
    """The provider's own thinking blocks that an earlier answer held (`Output.thinking`), to be sent back."""
    return message.get("thinking_blocks") or message.get("thinking") or ()


def image_of(block: Block) -> Media:
    """The picture of an `image_url` block, or of an Anthropic `image` block."""
    if block["type"] == "image":
        return source_of(block["source"])
    link = block["image_url"]
    url = link["url"] if isinstance(link, Mapping) else link
    return _media_at(url)


def audio_of(block: Block) -> Media:
    """The sound of an `input_audio` block."""
    sound = block["input_audio"]
    return Media(mime=f"audio/{sound.get('format') or 'wav'}", data=sound["data"])


def file_of(block: Block) -> Media:
    """The file of a `file` block: `file_data` is a data URI (or bare base64), `file_id` the provider's own name."""
    file = block["file"]
    filename = file.get("filename")
    data = file.get("file_data")
    if data is None:
        identity = file.get("file_id")
        if not isinstance(identity, str):
            raise UsageError("A file block needs `file_data` (a data URI) or `file_id`.")
        return Media(mime=file.get("format"), file_id=identity, filename=filename)
    media = _media_at(data) if data.startswith(("data:", "http")) else Media(data=data)
    mime = media.mime or file.get("format") or guess_mime(filename or media.url)
    return Media(mime, media.data, media.url, None, filename)


def source_of(source: Mapping[str, Any]) -> Media:
    """Anthropic's `source`: base64, text, url or file."""
    kind = source.get("type")
    if kind == "url":
        return Media(url=source["url"], mime=guess_mime(source["url"]))
    if kind == "file":
        return Media(file_id=source["file_id"])
    return Media(mime=source.get("media_type"), data=source["data"])


def document_text(block: Block) -> str | None:
    """The words of a `document` block, its title first; None where they are bytes or lie elsewhere."""
    source = block["source"]
    kind = source.get("type")
    if kind == "text":
        text = source["data"]
    elif kind == "content":
        text = text_of(source["content"])
    else:
        return None
    head = [line for line in (block.get("title"), block.get("context")) if line]
    return "\n".join([*head, text])


def guess_mime(name: str | None) -> str | None:
    """The media type that a file name or an address ends in."""
    if not name:
        return None
    import mimetypes

    return mimetypes.guess_type(name.partition("?")[0])[0]


def _media_at(url: str) -> Media:
    if not url.startswith("data:"):
        return Media(url=url, mime=guess_mime(url))
    head, comma, data = url[5:].partition(",")
    mime, *options = head.split(";")
    if not comma:
        raise UsageError(f"Not a data URI: {url[:40]!r}. It is written data:image/png;base64,….")
    if "base64" not in options:
        import base64
        from urllib.parse import unquote_to_bytes

        data = base64.b64encode(unquote_to_bytes(data)).decode()
    return Media(mime=mime or "text/plain", data=data)
