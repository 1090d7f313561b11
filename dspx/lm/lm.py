"""A language model behind an HTTP API, by its model string.

    lm = dspx.LM("openai/gpt-4o-mini", temperature=0.2)
    lm("Say hello.")                                   # ['Hello!']

One object is made of layers, outermost first: fallbacks, cache and single flight, limiter, breaker, retries,
the exchange over HTTP. What they share (limits, breakers, connections) they share by endpoint, so a
hundred LM objects on one endpoint behave like one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dspx.errors import LMConfigurationError, StateError
from dspx.lm.base import BaseLM
from dspx.lm.facts import Facts, is_reasoning_model
from dspx.lm.request import Request
from dspx.lm.resolve import resolve
from dspx.lm.response import Response
from dspx.lm.secret_names import is_secret
from dspx.runtime.bridge import run

if TYPE_CHECKING:
    from dspx.lm.asker import Asker
    from dspx.lm.wire.base import Endpoint

# Settings of the connection and of the layers, which never go into a request.
_CONNECTION = ("api_key", "api_base", "base_url", "api_version", "headers")
_LAYERS = (
    "timeout",
    "deadline",
    "http_client",
    "requests_per_minute",
    "tokens_per_minute",
    "max_in_flight",
    "overflow",
    "queue_size",
    "queue_timeout",
)
_FIXED = frozenset((*_CONNECTION, *_LAYERS))
_REASONING_MINIMUM = 16_000


class LM(BaseLM):
    """A model over HTTP: OpenAI (Chat and Responses), Anthropic, Gemini, and every OpenAI-compatible server.

    Args:
        model: "provider/model"; see the guide on providers for the prefixes and their environment variables.
        model_type: "chat", "responses" (OpenAI's Responses API) or "text" (legacy completions).
        temperature, max_tokens, **kwargs: settings of every call, in OpenAI's names. A call's own go first.
        cache: whether answers may come from the cache, and go there.
        num_retries: how often a failed attempt is repeated, if the error allows it.
        use_developer_role: send system messages as developer messages.
        prompt_cache: mark the prompt for the provider's own cache: True, "5m", "1h", or a dict.
        fallbacks: LMs, or model strings, to ask when this one fails for good.
        engine: "auto" (dspx itself), "litellm" (with the extra of that name), or an object with
            `async def generate(request) -> Response`.
        api_key, api_base, api_version, headers: the connection; defaults come from the environment.
        timeout: seconds for one attempt. deadline: seconds for a call with all its retries.
        http_client: an httpx client or transport to send through.
        requests_per_minute, tokens_per_minute, max_in_flight, overflow, queue_size, queue_timeout: limits,
            shared by all LMs of the endpoint and key; see the guide on retries and limits.

    `LMConfigurationError` where the settings contradict the model; `LMNotConfiguredError` at the first call
    where a key is missing.
    """

    _charges_itself = True

    def __init__(
        self,
        model: str,
        model_type: str = "chat",
        temperature: float | None = None,
        max_tokens: int | None = None,
        cache: bool = True,
        callbacks: Sequence[Any] | None = None,
        num_retries: int = 5,
        provider: Any = None,
        finetuning_model: str | None = None,
        launch_kwargs: dict[str, Any] | None = None,
        train_kwargs: dict[str, Any] | None = None,
        use_developer_role: bool = False,
        engine: Any = "auto",
        async_engine: Any = None,
        prompt_cache: Any = None,
        *,
        fallbacks: Sequence[BaseLM | str] = (),
        **kwargs: Any,
    ) -> None:
        connection = {name: kwargs.pop(name) for name in _CONNECTION if name in kwargs}
        layers = {name: kwargs.pop(name) for name in _LAYERS if name in kwargs}
        _check_reasoning(model, temperature, kwargs.get("max_completion_tokens", max_tokens))
        super().__init__(model, model_type, temperature, max_tokens, cache, callbacks, num_retries, **kwargs)
        self.provider = provider
        self.finetuning_model = finetuning_model
        self.launch_kwargs = launch_kwargs or {}
        self.train_kwargs = train_kwargs or {}
        self.use_developer_role = use_developer_role
        self.engine = async_engine or engine
        self.prompt_cache = prompt_cache
        self.fallbacks = [LM(other) if isinstance(other, str) else other for other in fallbacks]
        self.connection: dict[str, Any] = connection
        self.layers: dict[str, Any] = layers
        self._endpoint: Endpoint | None = None
        self._asker: Asker | None = None

    # ------------------------------------------------------------ answering

    async def generate(self, request: Request) -> Response:
        asker = self._asker
        if asker is None:
            from dspx.lm.stack import build

            asker = self._asker = build(self)
        return await asker.ask(request)

    def forward(
        self, prompt: str | None = None, messages: list[dict[str, Any]] | None = None, **kwargs: Any
    ) -> Response:
        """The whole response, for a subclass that overrides this. `.choices` are shaped as OpenAI's are."""
        return run(self.aforward(prompt, messages, **kwargs))

    async def aforward(
        self, prompt: str | None = None, messages: list[dict[str, Any]] | None = None, **kwargs: Any
    ) -> Response:
        """`forward` for async code."""
        asked = messages or [{"role": "user", "content": prompt}]
        return await self.generate(LM.request(self, asked, kwargs, prompt))

    def _settings_for_forward(self, request: Request) -> dict[str, Any]:
        """With what the cache goes by, which `super().forward(…)` has to know."""
        settings = dict(super()._settings_for_forward(request))
        if request.rollout_id is not None:
            settings["rollout_id"] = request.rollout_id
        if request.cache != self.cache:
            settings["cache"] = request.cache
        return settings

    def request(
        self, messages: list[dict[str, Any]], params: Mapping[str, Any], prompt: str | None = None
    ) -> Request:
        if not _FIXED.isdisjoint(params):
            own = [name for name in (*_CONNECTION, *_LAYERS) if name in params]
            raise LMConfigurationError(
                f"{', '.join(own)} cannot be changed in a call: use lm.copy({own[0]}=…).", model=self.model
            )
        merged = {**self.kwargs, **params}
        rollout_id = merged.pop("rollout_id", None)
        cache = merged.pop("cache", self.cache)
        prompt_cache = merged.pop("prompt_cache", self.prompt_cache)
        settings = {name: value for name, value in merged.items() if value is not None}
        if self.use_developer_role:
            settings["use_developer_role"] = True
        return Request(self.model, messages, settings, rollout_id, False, prompt_cache, cache, prompt, params)

    @property
    def endpoint(self) -> Endpoint:
        """Where the model answers. `LMNotConfiguredError` where a key or an address is missing."""
        if self._endpoint is None:
            connection = dict(self.connection)
            base = connection.pop("api_base", None) or connection.pop("base_url", None)
            connection.pop("base_url", None)
            self._endpoint = resolve(self.model, model_type=self.model_type, api_base=base, **connection)
        return self._endpoint

    @property
    def facts(self) -> Facts:
        """What the model and its endpoint can do."""
        if self.engine != "auto":
            from dspx.lm.facts import UNKNOWN, facts_of

            return facts_of(self.model) or UNKNOWN
        return self.endpoint.facts

    # ------------------------------------------------------------ copies and state

    def copy(self, **kwargs: Any) -> LM:
        """A copy with an empty history. Any argument of the constructor may be changed."""
        connection = {name: kwargs.pop(name) for name in _CONNECTION if name in kwargs}
        layers = {name: kwargs.pop(name) for name in _LAYERS if name in kwargs}
        new = super().copy(**kwargs)
        new.connection = _laid_over(self.connection, connection)
        new.layers = _laid_over(self.layers, layers)
        if connection or layers or not kwargs.keys() <= _SETTINGS_OF_A_REQUEST:
            new._endpoint = None
            new._asker = None
        return new

    def __getstate__(self) -> dict[str, Any]:
        connection = {name: value for name, value in self.connection.items() if not is_secret(name)}
        layers = {name: value for name, value in self.layers.items() if name != "http_client"}
        return {
            **super().__getstate__(),
            "connection": connection,
            "layers": layers,
            "_endpoint": None,
            "_asker": None,
        }

    def dump_state(self) -> dict[str, Any]:
        state = super().dump_state()
        kept = {name: value for name, value in self.connection.items() if name in ("api_base", "base_url")}
        kept |= {name: value for name, value in self.layers.items() if isinstance(value, (int, float, str))}
        return {
            **state,
            **kept,
            "finetuning_model": self.finetuning_model,
            "launch_kwargs": self.launch_kwargs,
            "train_kwargs": self.train_kwargs,
        }

    def close(self) -> None:
        """Nothing to do: connections belong to the endpoint, are shared, and close when idle."""

    async def aclose(self) -> None:
        """Nothing to do, as for `close`."""


_SETTINGS_OF_A_REQUEST = frozenset(
    {"temperature", "max_tokens", "rollout_id", "cache", "n", "stop", "seed", "top_p", "callbacks"}
)


def load_lm(state: Mapping[str, Any], *, allow_unsafe: bool = False) -> BaseLM:
    """The LM that `dump_state` described, of dspx or of DSPy 3.4.

    Without `allow_unsafe`, a saved address is dropped (a file must not say where prompts and keys go) and
    an LM class of somebody's own is refused (`StateError`).
    """
    settings = dict(state)
    class_path = settings.pop("_dspy_lm_class", "dspy.clients.lm.LM")
    if not allow_unsafe:
        for name in ("api_base", "base_url", "model_list"):
            settings.pop(name, None)
    for name in ("_dspy_engine_class", "engine", "async_engine", "launch_kwargs", "train_kwargs"):
        if not settings.get(name):
            settings.pop(name, None)
    return _lm_class(class_path, allow_unsafe)(**settings)


def _lm_class(path: str, allow_unsafe: bool) -> Callable[..., BaseLM]:
    if path in ("dspy.clients.lm.LM", "dspx.lm.lm.LM"):
        return LM
    if not allow_unsafe:
        raise StateError(
            f"The saved program uses the LM class {path}, and loading it imports that module. "
            "If you trust the file, load it with allow_unsafe_lm_state=True; or set the LM yourself afterwards."
        )
    from importlib import import_module

    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def _laid_over(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**before, **after}.items() if value is not None}


def _check_reasoning(model: str, temperature: float | None, max_tokens: int | None) -> None:
    """OpenAI's reasoning models take no temperature but 1, and spend their budget on thoughts first."""
    if not is_reasoning_model(model) or ("/" in model and model.partition("/")[0] not in ("openai", "azure")):
        return
    if temperature not in (None, 1, 1.0) or (max_tokens is not None and max_tokens < _REASONING_MINIMUM):
        raise LMConfigurationError(
            f"OpenAI's reasoning models require temperature=1.0 or None and max_tokens >= {_REASONING_MINIMUM} or None; "
            f"got temperature={temperature}, max_tokens={max_tokens}.",
            model=model,
        )
