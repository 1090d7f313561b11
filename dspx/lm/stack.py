"""How the layers of an LM are put together, and what the LMs of one endpoint share.

Outermost first: fallbacks, cache and single flight, limiter, breaker, retries, budget, pace, the exchange over HTTP.
A retry waits inside its place in the limiter, so that a failing endpoint is not asked by more and more calls.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dspx.errors import LMConfigurationError
from dspx.lm.asker import Asker
from dspx.lm.breaker import Guarded, breaker_of
from dspx.lm.caching import Caching
from dspx.lm.charge import Charged
from dspx.lm.exchange import Exchange
from dspx.lm.fallback import Fallbacks
from dspx.lm.limit import Limited, Limits, Paced, limiter_of
from dspx.lm.request import Request
from dspx.lm.response import Response
from dspx.lm.retry import Retrying, RetryPolicy

if TYPE_CHECKING:
    from dspx.lm.base import BaseLM
    from dspx.lm.lm import LM

_LIMITS = (
    "max_in_flight",
    "requests_per_minute",
    "tokens_per_minute",
    "overflow",
    "queue_size",
    "queue_timeout",
)


def build(lm: LM) -> Asker:
    """The layers of this LM, as its settings say."""
    inner = _over_http(lm) if lm.engine == "auto" else _over_engine(lm)
    if not lm.fallbacks:
        return inner
    return Fallbacks([(lm.model, inner), *((other.model, Route(other)) for other in lm.fallbacks)])


def _over_http(lm: LM) -> Asker:
    endpoint, settings = lm.endpoint, lm.layers
    given = {name: settings[name] for name in _LIMITS if name in settings}
    limiter = limiter_of(
        (endpoint.base_url, endpoint.api_key), Limits(**given) if given else None, name=endpoint.base_url
    )
    breaker = breaker_of((endpoint.base_url, endpoint.model), name=lm.model)
    exchange = Exchange(endpoint, settings.get("timeout"), settings.get("http_client"))
    retrying = Retrying(
        Charged(Paced(exchange, limiter)), RetryPolicy(lm.num_retries, settings.get("deadline"))
    )
    return Caching(Limited(Guarded(retrying, breaker), limiter), (endpoint.base_url, endpoint.wire.name))


def _over_engine(lm: LM) -> Asker:
    """The layers over somebody else's client: what does not depend on the endpoint stays."""
    if lm.engine == "litellm":
        from dspx.lm.litellm_engine import LiteLLMEngine

        engine: Any = LiteLLMEngine(lm)
    elif hasattr(lm.engine, "ask") or hasattr(lm.engine, "generate"):
        engine = lm.engine
    else:
        raise LMConfigurationError(
            f"engine= is 'auto', 'litellm' or an object with `async def generate(request)`, not {lm.engine!r}.",
            model=lm.model,
        )
    asker = engine if hasattr(engine, "ask") else _Engine(engine)
    retrying = Retrying(Charged(asker), RetryPolicy(lm.num_retries, lm.layers.get("deadline")))
    return Caching(retrying, type(engine).__qualname__)


class _Engine:
    """A user's engine as the innermost layer."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine

    async def ask(self, request: Request) -> Response:
        return Response.from_openai(await self.engine.generate(request), model=request.model)


class Route:
    """Another LM as a fallback: it answers the same messages, under its own model and settings."""

    def __init__(self, lm: BaseLM) -> None:
        self.lm = lm

    async def ask(self, request: Request) -> Response:
        own = {name: value for name, value in self.lm.kwargs.items() if value is not None}
        return await self.lm._generated(
            replace(request, model=self.lm.model, params={**request.params, **own})
        )
