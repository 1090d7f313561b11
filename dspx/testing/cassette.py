"""Record a model's answers once, replay them ever after: a JSON file, without keys in it.

with Cassette("tests/cassettes/triage.json"):           # every LM and embedder of dspx, in this block
    program(message="…")

lm = Cassette("tests/cassettes/triage.json").lm(dspx.LM("openai/gpt-4o-mini"))       # or one LM
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import orjson

from dspx.core.canonical import stable_hash, to_plain
from dspx.errors import DSPxError, UsageError
from dspx.lm import transport
from dspx.lm.base import BaseLM
from dspx.lm.request import Request
from dspx.lm.response import Response
from dspx.runtime.locks import Lock

if TYPE_CHECKING:
    from typing_extensions import Self

    from dspx.lm.facts import Facts

Mode = Literal["auto", "record", "replay"]

_MODES = ("auto", "record", "replay")
_VERSION = 1
_KEPT_HEADERS = frozenset({"content-type", "retry-after", "x-request-id", "request-id"})
_SECRET = ("api_key", "apikey", "authorization", "access_token", "secret", "password", "cookie")
_UNKEYED = ("extra_headers", "headers", "timeout", "callbacks", "http_client")


class CassetteMiss(DSPxError, LookupError):
    """A request that the cassette has no answer to, while asking is not allowed."""


class Cassette:
    """Answers kept in a file, by request.

    mode: "replay" only answers from the file (`CassetteMiss` otherwise); "record" asks, and writes the file anew;
    "auto" replays what is there, and asks and adds the rest.

    A request that is made several times gets its answers in the order they were recorded; after the last one, that
    one again. As a context manager it stands between every `dspx.LM` and `dspx.Embedder` of the process and the
    network, at the level of HTTP, and the cache is left aside meanwhile. `.lm(lm)` wraps one LM of any kind, at the
    level of requests and responses. The file is written when the block ends, and after each answer of a wrapped LM.
    """

    def __init__(self, path: str | os.PathLike[str], mode: Mode = "auto") -> None:
        if mode not in _MODES:
            raise UsageError(f"A cassette's mode is one of {', '.join(_MODES)}, not {mode!r}.")
        self.path = Path(path)
        self.mode: Mode = mode
        self.replayed = 0
        self.recorded = 0
        self._lock = Lock()
        self._entries: dict[str, _Entry] = {} if mode == "record" else _load(self.path)
        self._changed = False
        self._patch: _Patch | None = None

    def lm(self, lm: BaseLM) -> RecordedLM:
        """`lm`, answering from this cassette."""
        return RecordedLM(lm, self)

    def __enter__(self) -> Self:
        self._patch = _Patch(self)
        self._patch.put()
        return self

    def __exit__(self, *_: object) -> None:
        if self._patch is not None:
            self._patch.take_away()
            self._patch = None
        self.save()

    def __len__(self) -> int:
        return sum(len(entry.answers) for entry in self._entries.values())

    def find(self, key: str) -> Any:
        """The next answer to this request; None where it has to be asked, `CassetteMiss` where it may not be."""
        with self._lock:
            entry = self._entries.get(key)
            if self.mode == "record" or entry is None:
                return None
            self.replayed += 1
            return entry.next()

    def keep(self, key: str, request: Any, answer: Any) -> None:
        """Add an answer."""
        with self._lock:
            entry = self._entries.setdefault(key, _Entry(scrubbed(request), []))
            entry.answers.append(scrubbed(answer))
            # What was recorded just now has been given already.
            entry.given = len(entry.answers)
            self.recorded += 1
            self._changed = True

    def check_may_ask(self, request: Any) -> None:
        """`CassetteMiss` in replay mode: the answer should have been here."""
        if self.mode == "replay":
            state = (
                f"it has {len(self._entries)} other requests"
                if self.path.exists()
                else "there is no such file"
            )
            asked = orjson.dumps(scrubbed(request)).decode()
            raise CassetteMiss(
                f"{self.path} has no answer to this request ({state}). Record it: mode='auto', or --dspx-mode=live. "
                f"The request: {asked[:500]}{'…' if len(asked) > 500 else ''}"
            )

    def save(self) -> None:
        """Write the file, if anything was recorded."""
        with self._lock:
            if not self._changed:
                return
            entries = [
                {"key": key, "request": entry.request, "answers": entry.answers}
                for key, entry in self._entries.items()
            ]
            content = orjson.dumps({"version": _VERSION, "entries": entries}, option=orjson.OPT_INDENT_2)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            partial = self.path.with_name(f"{self.path.name}.{os.getpid()}.partial")
            partial.write_bytes(content + b"\n")
            partial.replace(self.path)
            self._changed = False


class _Entry:
    """One request and what was answered to it, time after time."""

    __slots__ = ("answers", "given", "request")

    def __init__(self, request: Any, answers: list[Any]) -> None:
        self.request = request
        self.answers = answers
        self.given = 0

    def next(self) -> Any:
        answer = self.answers[min(self.given, len(self.answers) - 1)]
        self.given += 1
        return answer


def _load(path: Path) -> dict[str, _Entry]:
    try:
        content = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{path} is no cassette: {error}. Delete it and record again.") from error
    if not isinstance(content, dict) or content.get("version") != _VERSION:
        raise UsageError(f"{path} is no cassette of version {_VERSION}. Delete it and record again.")
    return {entry["key"]: _Entry(entry["request"], entry["answers"]) for entry in content["entries"]}


def scrubbed(value: Any) -> Any:
    """Plain data without anything under a name that secrets have."""
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {key: "***" if _is_secret(key) else scrubbed(item) for key, item in items}
    return [scrubbed(item) for item in cast("list[Any]", value)] if isinstance(value, list) else value


def _is_secret(name: str) -> bool:
    plain = name.lower().replace("-", "_")
    return any(word in plain for word in _SECRET)


# ---------------------------------------------------------------- one LM


class RecordedLM(BaseLM):
    """An LM that answers from a cassette, and asks another LM for what is not there."""

    def __init__(self, lm: BaseLM, cassette: Cassette) -> None:
        super().__init__(lm.model, lm.model_type, cache=False, num_retries=lm.num_retries)
        self.kwargs = dict(lm.kwargs)
        self.lm = lm
        self.cassette = cassette

    async def generate(self, request: Request) -> Response:
        asked = _plain_request(request)
        key = stable_hash(asked)
        found = self.cassette.find(key)
        if found is not None:
            return Response.from_json(found)
        self.cassette.check_may_ask(asked)
        response = await self.lm._generated(request)
        self.cassette.keep(key, asked, to_plain(response.to_json()))
        self.cassette.save()
        return response

    @property
    def facts(self) -> Facts:
        return self.lm.facts


def _plain_request(request: Request) -> dict[str, Any]:
    params = {name: value for name, value in request.params.items() if name not in _UNKEYED}
    plain: dict[str, Any] = {"model": request.model, "messages": request.messages, "params": params}
    if request.rollout_id is not None:
        plain["rollout_id"] = request.rollout_id
    return scrubbed(to_plain(plain))


# ---------------------------------------------------------------- all of HTTP


class _Patch:
    """The cassette in the place of dspx's transport."""

    def __init__(self, cassette: Cassette) -> None:
        self.cassette = cassette
        self.post = transport.post
        self.stream = transport.stream
        self.caching: Callable[[], None] | None = None

    def put(self) -> None:
        transport.post = self._post
        transport.stream = self._stream
        self.caching = _without_cache()

    def take_away(self) -> None:
        transport.post = self.post
        transport.stream = self.stream
        if self.caching is not None:
            self.caching()

    async def _post(self, call: Any, **options: Any) -> transport.Reply:
        asked, key = _plain_call(call)
        found = self.cassette.find(key)
        if found is not None:
            return transport.Reply(found["status"], found["headers"], found["body"].encode())
        self.cassette.check_may_ask(asked)
        reply = await self.post(call, **options)
        self.cassette.keep(key, asked, _plain_reply(reply))
        return reply

    async def _stream(self, call: Any, **options: Any) -> AsyncGenerator[transport.ServerEvent, None]:
        asked, key = _plain_call(call)
        found = self.cassette.find(key)
        if found is not None:
            if "events" not in found:
                raise transport.StatusError(
                    transport.Reply(found["status"], found["headers"], found["body"].encode())
                )
            for name, data in found["events"]:
                yield transport.ServerEvent(name, data)
            return
        self.cassette.check_may_ask(asked)
        events: list[list[str | None]] = []
        try:
            async for event in self.stream(call, **options):
                events.append([event.event, event.data])
                yield event
        except transport.StatusError as error:
            self.cassette.keep(key, asked, _plain_reply(error.reply))
            raise
        self.cassette.keep(key, asked, {"events": events})


def _plain_call(call: Any) -> tuple[dict[str, Any], str]:
    """The request as it is kept, and its key: the address without its query, and the body."""
    try:
        body = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        body = call.body.decode("utf-8", "replace")
    asked = scrubbed({"url": call.url.partition("?")[0], "body": body})
    return asked, stable_hash(asked)


def _plain_reply(reply: transport.Reply) -> dict[str, Any]:
    headers = {name: value for name, value in reply.headers.items() if name.lower() in _KEPT_HEADERS}
    return {"status": reply.status, "headers": headers, "body": reply.body.decode("utf-8", "replace")}


def _without_cache() -> Callable[[], None]:
    """Have nothing answered from the cache, nor kept in it, until the function given back is called."""
    from dspx.cache import configured
    from dspx.cache.layered import LayeredCache

    before = configured._current
    configured._current = LayeredCache(None, None)

    def restore() -> None:
        configured._current = before

    return restore
