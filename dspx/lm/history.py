"""The calls that were made, newest last: of one LM, of one module, of the whole process.

A call is kept as what it was, and becomes a dict, in DSPy's form, when somebody looks at it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TextIO

from dspx.core.ids import new_id
from dspx.core.ring import Late, Ring
from dspx.core.settings import snapshot
from dspx.core.trace import callers
from dspx.lm.request import Request
from dspx.lm.response import Response
from dspx.lm.secret_names import is_secret

GLOBAL_HISTORY: Ring[dict[str, Any]] = Ring(10_000)

_UNSHOWN = frozenset({"api_base", "base_url"})


def record(lm: Any, request: Request, response: Response, prompt: str | None, latency: float) -> None:
    """Write the call into the histories of the LM, of the modules around it and of the process."""
    settings = snapshot()
    if settings["disable_history"]:
        return
    entry = _Call(lm, request, response, prompt, latency)
    GLOBAL_HISTORY.append(entry)
    limit = settings["max_history_size"]
    if limit > 0:
        lm.history.append(entry, limit)
        for caller in callers.get():
            caller.history.append(entry, limit)


class _Call(Late["dict[str, Any]"]):
    """One call, to be shown as a dict."""

    __slots__ = ("at", "latency", "messages", "model", "model_type", "params", "prompt", "response")

    def __init__(
        self, lm: Any, request: Request, response: Response, prompt: str | None, latency: float
    ) -> None:
        self._made = None
        self.at = time.time()
        self.model = lm.model
        self.model_type = lm.model_type
        self.messages = tuple(request.messages)  # which the garbage collector soon leaves alone
        self.params = request.params
        self.response = response
        self.prompt = prompt
        self.latency = latency

    def _make(self) -> dict[str, Any]:
        response = self.response
        return {
            "prompt": self.prompt,
            "messages": list(self.messages),
            "kwargs": {
                name: value
                for name, value in self.params.items()
                if name not in _UNSHOWN and not is_secret(name)
            },
            "response": response,
            "outputs": response.as_outputs(),
            "usage": {} if response.cache_hit else response.usage.to_dict(),
            "cost": response.cost,
            "cache_hit": response.cache_hit,
            "latency": self.latency,
            "timestamp": datetime.fromtimestamp(self.at).isoformat(),
            "uuid": new_id(),
            "model": self.model,
            "response_model": response.model,
            "model_type": self.model_type,
        }


def inspect_history(n: int = 1, file: TextIO | None = None) -> None:
    """Print the last `n` calls of the process. Colours only where no file is given."""
    show(GLOBAL_HISTORY, n, file)


def show(
    entries: Sequence[dict[str, Any]] | Ring[dict[str, Any]], n: int = 1, file: TextIO | None = None
) -> None:
    """Print the last `n` of these calls."""
    newest = entries.newest(n) if isinstance(entries, Ring) else entries[-n:]
    paint = _Paint(colour=file is None and sys.stdout.isatty())
    out = file or sys.stdout
    for entry in newest:
        for line in _lines(entry, paint):
            print(line, file=out)


class _Paint:
    def __init__(self, colour: bool) -> None:
        self.colour = colour

    def __call__(self, text: str, code: int) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


def _lines(entry: dict[str, Any], paint: _Paint) -> Iterable[str]:
    yield paint(f"\n\n[{entry['timestamp']}]  {entry['model']}", 34)
    for message in entry["messages"] or [{"role": "user", "content": entry["prompt"]}]:
        yield paint(f"\n{str(message['role']).capitalize()} message:\n", 31)
        yield _text_of(message)
    for index, output in enumerate(entry["outputs"]):
        title = "Response:" if len(entry["outputs"]) == 1 else f"Response {index + 1}:"
        yield paint(f"\n{title}\n", 31)
        yield paint(_answer_of(output), 32)
    yield "\n"


def _text_of(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content.strip()
    parts = [_block(block) for block in content or ()]
    parts += [f"<tool call {call.get('function', call)}>" for call in message.get("tool_calls") or ()]
    return "\n".join(parts)


def _block(block: dict[str, Any]) -> str:
    kind = block.get("type")
    if kind == "text":
        return str(block["text"]).strip()
    if kind == "image_url":
        url = block["image_url"]["url"]
        return f"<image: {url[:60]}{'…' if len(url) > 60 else ''}>"
    return f"<{kind}>"


def _answer_of(output: Any) -> str:
    if isinstance(output, str):
        return output.strip()
    text = str(output.get("text") or "").strip()
    extras = [f"{name}: {value}" for name, value in output.items() if name != "text" and value]
    return "\n".join([text, *extras]) if text else "\n".join(extras)
