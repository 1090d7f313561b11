"""What a wire is: one protocol's JSON. Pure functions from a request to a call, from an answer to a response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from dspx.core.streams import Delta
from dspx.errors import LMError, LMStreamAssemblyError, LMUnexpectedError, UsageError
from dspx.lm.facts import UNKNOWN, Facts
from dspx.lm.request import Request
from dspx.lm.response import Response
from dspx.lm.secret_names import is_secret_header
from dspx.lm.wire.errors import Complaint, complaint_of, first_words, provider_error


@dataclass(frozen=True, slots=True)
class Call:
    """An HTTP POST, ready to be sent. Its repr shows no header's value: keys are among them."""

    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    method: str = "POST"


class Assembler(Protocol):
    """Puts one stream together: feed it events in order, then ask for the whole."""

    def feed(self, event: str | None, data: str) -> list[Delta]:
        """Take one server-sent event, give what is new in it. LMError where the event reports one."""
        ...

    def finish(self) -> Response:
        """The response that the call would have given without streaming; LMStreamAssemblyError if it broke off."""
        ...


class Wire(Protocol):
    """One protocol."""

    @property
    def name(self) -> str: ...

    def encode(self, request: Request, endpoint: Endpoint) -> Call: ...

    def decode(self, body: dict[str, Any], request: Request) -> Response: ...

    def decode_error(
        self, status: int, headers: Mapping[str, str], body: bytes, request: Request, endpoint: Endpoint
    ) -> LMError: ...

    def assembler(self, request: Request) -> Assembler: ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model answers, how to speak to it, and what it can do. Its repr shows no secret.

    `auth` says where the key goes: "bearer" or the name of a header. `renames` and `drops` are the endpoint's
    deviations from its protocol: parameters under another name, parameters it refuses.
    `keeps_reasoning`: it wants the assistant's reasoning sent back beside tool calls.
    """

    provider: str
    model: str
    wire: Wire
    base_url: str
    api_key: str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    query: dict[str, str] = field(default_factory=dict[str, str])
    facts: Facts = UNKNOWN
    auth: str = "bearer"
    renames: Mapping[str, str] = field(default_factory=dict[str, str])
    drops: frozenset[str] = frozenset()
    keeps_reasoning: bool = False

    def url(self, path: str) -> str:
        """The full address of a path such as "/chat/completions"."""
        if not self.query:
            return self.base_url + path
        from urllib.parse import urlencode

        return f"{self.base_url}{path}{'&' if '?' in path else '?'}{urlencode(self.query)}"

    def request_headers(self) -> dict[str, str]:
        """Every header of a JSON call, the key's included. Headers set by the user win."""
        headers = {"content-type": "application/json"}
        if self.api_key is not None:
            if self.auth == "bearer":
                headers["authorization"] = f"Bearer {self.api_key}"
            else:
                headers[self.auth] = self.api_key
        headers.update(self.headers)
        return headers

    def __repr__(self) -> str:
        address = self.base_url.partition("?")[0]
        scheme, mark, rest = address.partition("://")
        address = f"{scheme}{mark}{rest.rpartition('@')[2]}"
        return f"Endpoint({self.provider!r}, model={self.model!r}, wire={self.wire.name!r}, base_url={address!r})"


class JSONWire:
    """What the protocols share: a POST of JSON, JSON back, and one form of error.

    A protocol says its `path`, writes the `payload`, and reads the answer (`read`); all else is here.
    """

    name = "json"
    default_headers: Mapping[str, str] = {}

    def path(self, request: Request, endpoint: Endpoint) -> str:
        raise NotImplementedError

    def payload(self, request: Request, endpoint: Endpoint) -> dict[str, Any]:
        raise NotImplementedError

    def read(self, body: dict[str, Any], request: Request) -> Response:
        raise NotImplementedError

    def encode(self, request: Request, endpoint: Endpoint) -> Call:
        """The call that asks this request of this endpoint.

        UsageError where the request holds something that JSON cannot; LMUnsupportedFeatureError where the
        protocol has no way to say it.
        """
        payload = self.payload(request, endpoint)
        headers = {**self.default_headers, **endpoint.request_headers()}
        for name, value in (payload.pop("extra_headers", None) or {}).items():
            headers[name.lower()] = value
        extra = payload.pop("extra_body", None)
        if extra:
            payload.update(extra)
        for name in endpoint.drops:
            payload.pop(name, None)
        return Call(endpoint.url(self.path(request, endpoint)), headers, dump(payload))

    def decode(self, body: dict[str, Any], request: Request) -> Response:
        """The response in a 2xx body; LMUnexpectedError where it is not what the protocol promises.

        Some servers answer 200 with an error inside: it is raised as the error that it is.
        """
        try:
            if body.get("error"):
                raise reported(body, request)
            return self.read(body, request)
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
            raise unexpected(
                f"The answer does not have the shape of {self.name} ({type(error).__name__}: {error})",
                orjson.dumps(body, default=str),
                request,
            ) from error

    def decode_error(
        self, status: int, headers: Mapping[str, str], body: bytes, request: Request, endpoint: Endpoint
    ) -> LMError:
        """The error in an answer that is not 2xx. Never raises, whatever the body is."""
        try:
            complaint = complaint_of(orjson.loads(body))
        except orjson.JSONDecodeError:
            complaint = Complaint(first_words(body))
        if 300 <= status < 400:
            place = headers.get("location", "another place")
            complaint = Complaint(f"a redirect to {place}; api_base should name the address that answers")
        return provider_error(
            complaint,
            status=status,
            headers=headers,
            model=request.model,
            provider=endpoint.provider,
            secrets=_secrets(request, endpoint),
        )


def _secrets(request: Request, endpoint: Endpoint) -> list[str]:
    """What the call carries and nobody may read in an error: the key, and what headers like it hold."""
    carried: dict[Any, Any] = {
        **endpoint.query,
        **endpoint.headers,
        **(request.params.get("extra_headers") or {}),
    }
    values = [
        str(value).rpartition(" ")[2]  # "Bearer …"
        for name, value in carried.items()
        if is_secret_header(str(name))
    ]
    return [*values, endpoint.api_key] if endpoint.api_key else values


class StreamAssembler:
    """What the protocols' assemblers share: read events, build the body, decode it as if it had come whole.

    A protocol says how an event changes `body` (`take`), and whether the answer is `complete`.
    """

    def __init__(self, wire: JSONWire, request: Request) -> None:
        self.wire = wire
        self.request = request
        self.body: dict[str, Any] = {}

    def take(self, event: dict[str, Any]) -> list[Delta]:
        raise NotImplementedError

    def complete(self) -> bool:
        raise NotImplementedError

    def whole_body(self) -> dict[str, Any]:
        """The body that the call would have had without streaming."""
        return self.body

    def feed(self, event: str | None, data: str) -> list[Delta]:
        if data == "[DONE]":
            self.done()
            return []
        try:
            content = read_json(data)
            if content.get("error"):
                raise reported(content, self.request)
            return self.take(content)
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
            raise LMStreamAssemblyError(
                f"An event of the stream does not have the shape of {self.wire.name} "
                f"({type(error).__name__}: {error}): {first_words(data.encode('utf-8', 'replace'))}",
                partial=self.partial(),
                model=self.request.model,
            ) from error

    def done(self) -> None:
        """The stream said [DONE]."""

    def finish(self) -> Response:
        if not self.complete():
            raise LMStreamAssemblyError(
                "The stream ended before the answer was whole; `partial` on this error holds what had arrived.",
                partial=self.partial(),
                model=self.request.model,
            )
        return self.wire.decode(self.whole_body(), self.request)

    def partial(self) -> Response | None:
        """What has arrived, as far as it can be read."""
        try:
            return self.wire.decode(self.whole_body(), self.request)
        except LMError:
            return None


def parse_body(body: bytes, request: Request) -> dict[str, Any]:
    """The JSON object in a 2xx body; LMUnexpectedError, retryable, where it was cut off or is no JSON at all."""
    try:
        value = read_json(body)
    except ValueError as error:
        what = "The answer is empty" if not body.strip() else f"The answer is not JSON ({error})"
        raise unexpected(what, body, request, retryable=True) from error
    if not isinstance(value, dict):
        raise unexpected(f"The answer is JSON, but a {type(value).__name__} and not an object", body, request)
    return value


def dump(payload: dict[str, Any]) -> bytes:
    """The payload as JSON; UsageError naming what cannot be sent."""
    try:
        return orjson.dumps(payload, default=_plain_json, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError as error:
        if "surrogates" in str(error):
            raise UsageError(
                "A text in this request holds half of a surrogate pair, which is not valid Unicode and cannot be "
                "sent. Clean it where it is read: text.encode('utf-8', 'replace').decode()."
            ) from error
        raise UsageError(
            f"This request holds a value that JSON cannot ({error}). Parameters go to the provider as JSON."
        ) from error


def reported(body: dict[str, Any], request: Request) -> LMError:
    """The error in a body or an event that came with a 200."""
    return provider_error(
        complaint_of(body), status=None, headers={}, model=request.model, provider=provider_of(request)
    )


def unexpected(what: str, body: bytes, request: Request, *, retryable: bool = False) -> LMUnexpectedError:
    """The error for an answer that cannot be read."""
    error = LMUnexpectedError(
        f"{what}. It begins: {first_words(body)!r}", model=request.model, provider=provider_of(request)
    )
    error.retryable = retryable
    return error


def provider_of(request: Request) -> str:
    """The provider's prefix in the model string."""
    prefix, slash, _ = request.model.partition("/")
    return prefix if slash else "openai"


def read_json(text: bytes | str) -> Any:
    """JSON, or what Python's own reader takes for it: NaN, Infinity, half surrogate pairs, which some servers write.

    ValueError where it is no JSON at all.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as strict:
        import json

        try:
            loose = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
            value = json.loads(loose, parse_constant=lambda _: None)
            return orjson.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
        except (ValueError, RecursionError):
            raise strict from None


def _plain_json(value: Any) -> Any:
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    dump_model = getattr(value, "model_dump", None)
    if callable(dump_model) and not isinstance(value, type):
        return dump_model(mode="json", exclude_none=True)
    raise TypeError(f"{type(value).__name__} is not JSON serializable")
