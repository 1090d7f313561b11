"""What every language model shares: the call, callbacks, usage, history. Subclass it for a model of your own.

    class Parrot(dspx.BaseLM):
        def forward(self, prompt=None, messages=None, **kwargs):
            return messages[-1]["content"]          # or an OpenAI-shaped response, or a list of texts

Override one of `forward`, `aforward` (as in DSPy) or `generate` (a `Request` in, a `Response` out).
`forward` gets the settings of the call; the LM's own are in `self.kwargs`. A `Request` has both in `params`.
"""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from dspx.core import streams
from dspx.core.asking import stop_at
from dspx.core.budget import ledger
from dspx.core.calls import entrance, overrides, stepped
from dspx.core.events import aobserve, is_heard
from dspx.core.ring import Ring
from dspx.core.streams import Delta
from dspx.core.trace import answered_by
from dspx.core.usage import current_tracker
from dspx.errors import UsageError
from dspx.lm import history
from dspx.lm.charge import charged
from dspx.lm.facts import UNKNOWN, Facts
from dspx.lm.request import Request
from dspx.lm.response import Response
from dspx.lm.secret_names import is_secret
from dspx.runtime import clock
from dspx.runtime.bridge import call, is_async, is_blocking, run, settled

if TYPE_CHECKING:
    from typing_extensions import Self

_BODIES = ("generate", "aforward", "forward")
_NOT_SENT = frozenset({"cache", "rollout_id"})


class BaseLM:
    """A language model. `lm("prompt")` or `lm(messages=[…])` gives a list with one answer per completion."""

    model: str
    kwargs: dict[str, Any]
    callbacks: list[Any]
    history: Ring[dict[str, Any]]

    _body: str = ""
    _both_forwards: bool = False
    _charges_itself: bool = False
    """Whether `generate` charges the budget, attempt by attempt."""

    def __init__(
        self,
        model: str,
        model_type: str = "chat",
        temperature: float | None = None,
        max_tokens: int | None = None,
        cache: bool = True,
        callbacks: Sequence[Any] | None = None,
        num_retries: int = 5,
        **kwargs: Any,
    ) -> None:
        self.model = model
        self.model_type = model_type
        self.cache = cache
        self.callbacks = list(callbacks or ())
        self.num_retries = num_retries
        self.kwargs = {"temperature": temperature, "max_tokens": max_tokens, **kwargs}
        self.history = Ring()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for base in cls.__mro__:
            if base is BaseLM:
                break
            own = [name for name in _BODIES if name in vars(base)]
            if own:
                cls._body = own[0]
                cls._both_forwards = "forward" in own and "aforward" in own
                break

    # ------------------------------------------------------------ calling

    def __call__(
        self, prompt: str | None = None, *, messages: list[dict[str, Any]] | None = None, **kwargs: Any
    ) -> list[Any]:
        """One entry per completion: a string, or a dict with `text` and what came with it
        (`reasoning_content`, `tool_calls`, `logprobs`, `citations`)."""
        return run(stepped(self)(prompt, messages=messages, **kwargs))

    async def acall(
        self, prompt: str | None = None, *, messages: list[dict[str, Any]] | None = None, **kwargs: Any
    ) -> list[Any]:
        """The same call for async code."""
        if messages is None:
            if prompt is None:
                raise UsageError(f"{self.model} was asked nothing: give a prompt or messages.")
            messages = [{"role": "user", "content": prompt}]
        response = await self._respond(messages, kwargs, prompt)
        return response.as_outputs()

    def respond_to(
        self, messages: list[dict[str, Any]], params: Mapping[str, Any], prompt: str | None = None
    ) -> Awaitable[Response]:
        """The whole response to `messages`: what adapters use. `params` go before the LM's own settings."""
        if overrides(type(self)) is not None:
            return self._respond_by_own_call(messages, params)
        return self._respond(messages, params, prompt)

    async def _respond_by_own_call(
        self, messages: list[dict[str, Any]], params: Mapping[str, Any]
    ) -> Response:
        """Through the `__call__` or `acall` that a subclass put before ours."""
        stop_at(messages)
        outputs = await entrance(self)(messages=messages, **params)
        return Response.from_openai(outputs, model=self.model)

    def _respond(
        self, messages: list[dict[str, Any]], params: Mapping[str, Any], prompt: str | None
    ) -> Awaitable[Response]:
        stop_at(messages)
        if not is_heard(self):
            return self._answer(messages, params, prompt)
        return aobserve(
            "lm",
            self,
            lambda: {"prompt": prompt, "messages": messages, "kwargs": dict(params)},
            self._answer,
            messages,
            params,
            prompt,
            shown=Response.as_outputs,
        )

    def _generated(self, request: Request) -> Awaitable[Response]:
        """The answer of `generate`, or of a `forward` or `aforward` that a subclass put before it."""
        own = self._body == "generate" and "forward" not in self.__dict__
        if ledger.get() is None or (own and self._charges_itself):
            return self.generate(request) if own else BaseLM.generate(self, request)
        return charged(request, self.generate if own else partial(BaseLM.generate, self))

    async def generate(self, request: Request) -> Response:
        """Answer a request. Override this, or `forward`/`aforward`."""
        own = self.__dict__.get("forward")  # a test may hang one on the instance
        body = "forward" if own is not None else self._body
        if not body:
            raise UsageError(
                f"{type(self).__name__} cannot answer: define `generate`, `forward` or `aforward`."
            )
        blocking = is_blocking()
        if self._both_forwards and own is None:
            body = "forward" if blocking else "aforward"
        forward = getattr(self, body)
        prompt, settings = request.prompt, self._settings_for_forward(request)
        messages = request.messages if prompt is None else None
        if is_async(forward) is blocking:
            raw = await call(forward, prompt=prompt, messages=messages, **settings)
        elif blocking:
            raw = settled(forward(prompt=prompt, messages=messages, **settings))
        else:
            raw = await forward(prompt=prompt, messages=messages, **settings)
        return Response.from_openai(raw, model=self.model)

    def _settings_for_forward(self, request: Request) -> Mapping[str, Any]:
        """Those of the call: a `forward` lays them over `self.kwargs` by itself, as DSPy's do."""
        asked, settings = request.asked, request.params
        if asked is None:
            return settings
        if not asked:
            return asked
        return {name: value for name, value in asked.items() if value is not None and name in settings}

    async def _answer(
        self, messages: list[dict[str, Any]], params: Mapping[str, Any], prompt: str | None
    ) -> Response:
        request = self.request(messages, params, prompt)
        started = clock.now()
        response = (
            await self._generated(request) if streams.sink.get() is None else await self._streamed(request)
        )
        latency = clock.now() - started
        tracker = current_tracker()
        if tracker is not None:
            tracker.add(
                response.route or self.model,
                response.usage.to_dict(),
                response.cost,
                response.cache_hit,
                latency,
                response.route,
            )
        if response.route is not None and response.route != self.model:
            answered_by.set(response.route)
        history.record(self, request, response, prompt, latency)
        return response

    async def _streamed(self, request: Request) -> Response:
        """Answer into the sink in force; an answer that came in one piece is one piece."""
        outer = streams.sink.get()
        assert outer is not None
        outer.on_call()
        counting = _Counting(outer)
        with streams.sink.using(counting):
            response = await self._generated(request)
        if not counting.pieces:
            for index, output in enumerate(response.outputs):
                if output.reasoning:
                    outer.on_delta(Delta(output.reasoning, "reasoning", index))
                outer.on_delta(Delta(output.text or "", "text", index))
        return response

    def request(
        self, messages: list[dict[str, Any]], params: Mapping[str, Any], prompt: str | None = None
    ) -> Request:
        """The request that `respond_to` makes of these arguments."""
        merged = {**self.kwargs, **params}
        rollout_id = merged.pop("rollout_id", None)
        cache = merged.pop("cache", self.cache)
        settings = {name: value for name, value in merged.items() if value is not None}
        return Request(self.model, messages, settings, rollout_id, False, None, cache, prompt, params)

    # ------------------------------------------------------------ what it can do

    @property
    def facts(self) -> Facts:
        """What the model and its endpoint can do. A model of your own is taken to do text only."""
        return UNKNOWN

    @property
    def supports_function_calling(self) -> bool:
        return self.facts.supports_function_calling

    @property
    def supports_reasoning(self) -> bool:
        return self.facts.supports_reasoning

    @property
    def supports_response_schema(self) -> bool:
        return self.facts.supports_response_schema

    @property
    def supported_params(self) -> set[str]:
        """The optional request parameters that adapters may use with this model."""
        facts = self.facts
        offered = {
            "response_format": facts.supports_response_schema or facts.supports_json_object,
            "tools": facts.supports_function_calling,
            "tool_choice": facts.supports_function_calling,
            "reasoning_effort": facts.supports_reasoning,
        }
        return {name for name, offers in offered.items() if offers}

    # ------------------------------------------------------------ copies and state

    def copy(self, **kwargs: Any) -> Self:
        """A copy with an empty history. `kwargs` set attributes or call settings; None removes a setting."""
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new.history = Ring()
        new.kwargs = dict(self.kwargs)
        new.callbacks = list(self.callbacks)
        for name, value in kwargs.items():
            if name in _NOT_SENT or not hasattr(new, name):
                new._set_call_setting(name, value)
            else:
                setattr(new, name, value)
                if name in new.kwargs:
                    new.kwargs[name] = value
        return new

    def _set_call_setting(self, name: str, value: Any) -> None:
        if name == "cache":
            self.cache = value
        elif value is None:
            self.kwargs.pop(name, None)
        else:
            self.kwargs[name] = value

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        new = self.copy()
        memo[id(self)] = new
        new.kwargs = copy.deepcopy(self.kwargs, memo)
        return new

    def __getstate__(self) -> dict[str, Any]:
        """For another process, or a file: without secrets (it takes them from its environment), history and callbacks."""
        kept = {name: value for name, value in self.kwargs.items() if not is_secret(name)}
        return {**self.__dict__, "kwargs": kept, "history": Ring(), "callbacks": []}

    def dump_state(self) -> dict[str, Any]:
        """What it takes to make this LM again, without keys."""
        kept = {name: value for name, value in self.kwargs.items() if not is_secret(name)}
        return {
            "_dspy_lm_class": f"{type(self).__module__}.{type(self).__qualname__}",
            "model": self.model,
            "model_type": self.model_type,
            "cache": self.cache,
            "num_retries": self.num_retries,
            **kept,
        }

    def inspect_history(self, n: int = 1, file: Any = None) -> None:
        """Print the last `n` calls."""
        history.show(self.history, n, file)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model!r})"


class _Counting:
    """A sink that knows whether anything went through it."""

    def __init__(self, outer: Any) -> None:
        self.outer = outer
        self.pieces = 0

    def on_call(self) -> None:
        self.outer.on_call()

    def on_delta(self, delta: Delta) -> None:
        self.pieces += 1
        self.outer.on_delta(delta)

    def on_prediction(self, prediction: Any) -> None:
        self.outer.on_prediction(prediction)
