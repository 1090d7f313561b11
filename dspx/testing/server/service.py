"""From a request's bytes to the bytes of its answer: routes, models, faults, counters. Knows nothing of sockets."""

from __future__ import annotations

import inspect
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Literal

import orjson

from dspx.lm.request import Request
from dspx.lm.response import Output
from dspx.testing.models import Model, named_models
from dspx.testing.models.base import tokens_of, usage_of
from dspx.testing.models.script import Fault, ScriptEnded, outputs_of
from dspx.testing.server.embedding import embeddings
from dspx.testing.server.faults import FaultSource, named
from dspx.testing.server.stats import Logged, Stats
from dspx.testing.server.wires.anthropic import AnthropicWire
from dspx.testing.server.wires.base import Answered, ServerWire, openai_error
from dspx.testing.server.wires.chat import ChatWire, CompletionsWire
from dspx.testing.server.wires.gemini import GeminiWire
from dspx.testing.server.wires.responses import ResponsesWire

Latency = float | tuple[float, float] | Callable[[int], float]
End = Literal["keep", "close", "reset", "never"]


@dataclass(slots=True)
class Reply:
    """What to send: `parts`, the first after `delay` seconds and the others `gap` seconds apart; then what to do."""

    logged: Logged
    parts: list[bytes]
    delay: float = 0.0
    gap: float = 0.0
    end: End = "keep"


class BadRequest(Exception):
    """The request cannot be answered; the status says why."""

    def __init__(self, status: int, message: str, kind: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind


class Service:
    """The server without its sockets. Called from one thread."""

    def __init__(
        self,
        model: Model,
        *,
        models: Mapping[str, Model] | None = None,
        faults: FaultSource | None = None,
        latency: Latency = 0.0,
        token_delay: float = 0.0,
        api_key: str | None = None,
        log_size: int = 1000,
        seed: int = 0,
    ) -> None:
        self.model = model
        self.models: dict[str, Model] = {**named_models(), **(models or {})}
        self.faults = faults
        self.latency = latency
        self.token_delay = token_delay
        self.api_key = api_key
        self.stats = Stats()
        self.log: deque[Logged] = deque(maxlen=log_size)
        self._random = Random(seed)

    def serve(self, method: str, target: str, head: bytes, body: bytes) -> Reply | Awaitable[Reply]:
        """The reply to one request; awaitable where the model is a coroutine."""
        stats = self.stats
        stats.requests += 1
        stats.in_flight += 1
        stats.peak = max(stats.peak, stats.in_flight)
        logged = Logged(stats.requests, method, target, head, started=time.monotonic())
        self.log.append(logged)
        wire = wire_for(target)
        try:
            return self._served(logged, wire, head, body)
        except BadRequest as error:
            return self._refused(logged, wire, error)

    def finished(self, logged: Logged, *, abandoned: bool = False) -> None:
        """The answer is out, or the client is gone."""
        if logged.seconds is not None:
            return
        logged.seconds = time.monotonic() - logged.started
        if abandoned and logged.outcome not in ("timeout",):
            logged.outcome = "abandoned"
        self.stats.in_flight -= 1
        outcomes = self.stats.outcomes
        outcomes[logged.outcome] = outcomes.get(logged.outcome, 0) + 1

    # ------------------------------------------------------------ one request

    def _served(
        self, logged: Logged, wire: ServerWire | None, head: bytes, body: bytes
    ) -> Reply | Awaitable[Reply]:
        path = logged.path
        if self.api_key is not None and self.api_key.encode() not in head:
            raise BadRequest(401, "Incorrect API key provided.", "authentication_error")
        if logged.method == "GET" and path.endswith("/models"):
            return self._json(logged, self._model_list())
        embeds = path.endswith("/embeddings")
        if wire is None and not embeds:
            raise BadRequest(404, f"Nothing is served at {path}.", "not_found")
        if logged.method != "POST":
            raise BadRequest(405, f"{path} takes POST, not {logged.method}.")
        logged.body = asked = _parsed(body)
        fault = None if self.faults is None else self.faults.next()
        if fault is not None and fault.kind in _INSTEAD:
            return self._failed(logged, wire, fault)
        if embeds or wire is None:
            return self._embedded(logged, asked, fault)
        request = _read(wire, asked, logged.target)
        answered = self._outputs(request)
        if isinstance(answered, tuple):
            return self._answered(logged, wire, request, answered, fault)
        return self._later(logged, wire, request, answered, fault)

    def _outputs(self, request: Request) -> tuple[Any, ...] | Awaitable[Any]:
        """What the model says, for each of `n` completions; awaitable where it is a coroutine."""
        model = self.models.get(request.model, self.model)
        n = int(request.params.get("n") or 1)
        try:
            first = model.answer(request, 0)
            if inspect.isawaitable(first):
                return first
            if isinstance(first, (Fault, list, tuple)):
                return first if isinstance(first, tuple) else (first,)
            return (first, *(model.answer(request, index) for index in range(1, n)))
        except ScriptEnded as error:
            raise BadRequest(400, str(error)) from error
        except Exception as error:
            raise _model_raised(error) from error

    async def _later(
        self, logged: Logged, wire: ServerWire, request: Request, answer: Awaitable[Any], fault: Fault | None
    ) -> Reply:
        n = int(request.params.get("n") or 1)
        try:
            try:
                said = await answer
            except Exception as error:
                raise _model_raised(error) from error
            return self._answered(
                logged, wire, request, (said,) * (1 if isinstance(said, Fault) else n), fault
            )
        except BadRequest as error:
            return self._refused(logged, wire, error)

    def _answered(
        self,
        logged: Logged,
        wire: ServerWire,
        request: Request,
        said: tuple[Any, ...],
        fault: Fault | None,
    ) -> Reply:
        scripted = said[0]
        if isinstance(scripted, Fault):
            fault = named(scripted)
            if fault is not None and fault.kind in _INSTEAD:
                return self._failed(logged, wire, fault)
        outputs = _limited([output for answer in said for output in _completions(answer)], request)
        model = request.model or "test"
        usage = usage_of(request, outputs)
        answered = Answered(logged.number, int(time.time()), model, request, outputs, usage)
        if request.stream:
            return self._stream(logged, wire.events(answered), fault)
        return self._json(logged, wire.write(answered), fault)

    def _embedded(self, logged: Logged, asked: dict[str, Any], fault: Fault | None) -> Reply:
        try:
            return self._json(logged, embeddings(asked), fault)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BadRequest(400, f"This is no request for embeddings: {error!r}.") from error

    def _model_list(self) -> dict[str, Any]:
        data = [{"id": name, "object": "model", "owned_by": "dspx.testing"} for name in self.models]
        return {"object": "list", "data": data}

    # ------------------------------------------------------------ replies

    def _json(self, logged: Logged, content: Any, fault: Fault | None = None) -> Reply:
        body = orjson.dumps(content)
        logged.status = 200
        kind = "ok" if fault is None else _WITHOUT_STREAM.get(fault.kind, fault.kind)
        logged.outcome = kind
        delay = self._delay(logged.number)
        if fault is None:
            return Reply(logged, [http_head(200, len(body)) + body], delay)
        half = body[: max(1, len(body) // 2)]
        if kind == "malformed":
            garbled = half + b"<html>"
            return Reply(logged, [http_head(200, len(garbled)) + garbled], delay)
        if kind == "late":
            logged.outcome = "late"
            return Reply(logged, [http_head(200, len(body)) + body], delay + (fault.seconds or 0.0))
        end: End = "reset" if kind == "reset_body" else "close"
        return Reply(logged, [http_head(200, len(body)) + half], delay, end=end)

    def _stream(self, logged: Logged, events: list[bytes], fault: Fault | None) -> Reply:
        logged.status = 200
        logged.outcome = "ok" if fault is None else fault.kind
        end: End = "keep"
        delay = self._delay(logged.number)
        last = b"0\r\n\r\n"
        if fault is not None:
            kind = fault.kind
            middle = len(events) // 2
            if kind == "late":
                delay += fault.seconds or 0.0
            elif kind in ("malformed", "garbled_stream"):
                events = [*events[:middle], b'data: {"choices": [<html>\n\n', *events[middle:]]
            else:
                events = events[:middle]
                end = {"reset_body": "reset", "truncated": "close"}.get(kind, "keep")  # type: ignore[assignment]
                last = last if end == "keep" else b""
        parts = [_STREAM_HEAD, *map(_chunk, events), last]
        if not self.token_delay:
            parts = [b"".join(parts)]
        return Reply(logged, parts, delay, self.token_delay, end)

    def _failed(self, logged: Logged, wire: ServerWire | None, fault: Fault) -> Reply:
        logged.outcome = fault.kind
        if fault.kind == "timeout":
            return Reply(logged, [], end="never")
        delay = self._delay(logged.number)
        if fault.kind == "reset":
            return Reply(logged, [], delay, end="reset")
        status = fault.status or (429 if fault.kind == "rate_limit" else 500)
        words = "Rate limit reached." if status == 429 else "The server had an error."
        kind = "rate_limit_exceeded" if status == 429 else "server_error"
        return self._error(logged, wire, status, words, kind, fault.seconds, delay)

    def _refused(self, logged: Logged, wire: ServerWire | None, error: BadRequest) -> Reply:
        logged.outcome = "bad_request"
        return self._error(logged, wire, error.status, error.message, error.kind, None, 0.0)

    def _error(
        self,
        logged: Logged,
        wire: ServerWire | None,
        status: int,
        message: str,
        kind: str,
        retry_after: float | None,
        delay: float,
    ) -> Reply:
        logged.status = status
        content = (openai_error if wire is None else wire.error)(status, message, kind)
        body = orjson.dumps(content)
        extra = b"" if retry_after is None else b"retry-after: %s\r\n" % f"{retry_after:g}".encode()
        return Reply(logged, [http_head(status, len(body), extra) + body], delay)

    def _delay(self, number: int) -> float:
        latency = self.latency
        if isinstance(latency, tuple):
            return self._random.uniform(*latency)
        return latency(number) if callable(latency) else latency


# ---------------------------------------------------------------- requests

_INSTEAD = frozenset({"rate_limit", "server_error", "timeout", "reset"})
_WITHOUT_STREAM = {"broken_stream": "truncated", "garbled_stream": "malformed"}
_WIRES: tuple[tuple[str, ServerWire], ...] = (
    ("/chat/completions", ChatWire()),
    ("/completions", CompletionsWire()),
    ("/responses", ResponsesWire()),
    ("/messages", AnthropicWire()),
    (":generateContent", GeminiWire()),
    (":streamGenerateContent", GeminiWire()),
)


def wire_for(target: str) -> ServerWire | None:
    """The protocol that this address speaks."""
    path = target.partition("?")[0]
    return next((wire for end, wire in _WIRES if path.endswith(end)), None)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(400, f"The body is not JSON: {error}.") from error
    if not isinstance(asked, dict):
        raise BadRequest(400, "The body is not a JSON object.")
    return asked


def _read(wire: ServerWire, asked: dict[str, Any], target: str) -> Request:
    try:
        return wire.read(asked, target)
    except KeyError as error:
        raise BadRequest(400, f"Missing required parameter: {error}.") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise BadRequest(400, f"This is no request of this protocol: {error}.") from error


def _model_raised(error: Exception) -> BadRequest:
    return BadRequest(500, f"The test model raised {type(error).__name__}: {error}", "server_error")


def _completions(answer: Any) -> tuple[Output, ...]:
    if isinstance(answer, Output):
        return (answer,)
    if isinstance(answer, Fault):
        return (Output("The answer that a fault spoils.", finish_reason="stop"),)
    return outputs_of(answer)


def _limited(outputs: list[Output], request: Request) -> list[Output]:
    """The completions, cut at `stop` and after `max_tokens`."""
    params = request.params
    stop: Any = params.get("stop")
    most = params.get("max_tokens")
    if stop is None and most is None:
        return outputs
    stops: list[str] = [stop] if isinstance(stop, str) else list(stop or ())
    return [_cut(output, stops, most) for output in outputs]


def _cut(output: Output, stops: list[str], most: int | None) -> Output:
    text = output.text
    if text is None:
        return output
    ends = [at for at in (text.find(stop) for stop in stops) if at >= 0]
    if ends:
        output = replace(output, text=text[: min(ends)])
    if most is not None and len(text) > most:
        tokens = tokens_of(output.text or "")
        if len(tokens) > most:
            output = replace(output, text="".join(tokens[:most]), finish_reason="length")
    return output


# ---------------------------------------------------------------- HTTP

_REASONS = {
    200: b"OK",
    400: b"Bad Request",
    401: b"Unauthorized",
    404: b"Not Found",
    405: b"Method Not Allowed",
    429: b"Too Many Requests",
    500: b"Internal Server Error",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
    504: b"Gateway Timeout",
}
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


def http_head(status: int, length: int, extra: bytes = b"") -> bytes:
    """Status line and headers of a JSON answer."""
    reason = _REASONS.get(status, b"Error")
    return b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\n%scontent-length: %d\r\n\r\n" % (
        status,
        reason,
        extra,
        length,
    )


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)
