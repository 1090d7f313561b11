"""Texts to vectors, by a provider's embedding model or by a function of your own.

embed = dspx.Embedder("openai/text-embedding-3-small", dimensions=256)
embed(["red", "green"])            # float32 array of shape (2, 256)
embed("blue")                      # shape (256,)
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from dspx.cache.base import MISS, CacheStore
from dspx.cache.configured import current_cache
from dspx.cache.memory import MemoryCache
from dspx.core.canonical import stable_hash
from dspx.errors import LMUnexpectedError, UsageError
from dspx.lm import transport
from dspx.lm.request import Request
from dspx.lm.retry import RetryPolicy, retrying, time_left
from dspx.runtime.bridge import call, in_thread, is_async, run
from dspx.runtime.fanout import fan_out

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dspx.lm.wire.base import Endpoint

    Vectors = NDArray[np.float32]

_AT_ONCE = 8  # batches
_OWN_ENTRIES = 100_000
_CONNECTION = ("api_base", "base_url", "api_key", "api_version", "headers")


class Embedder:
    """Embeds one text (a vector comes back) or a list of them (a matrix, one row each), as float32.

    Args:
        model: a model string as for `LM`, of any provider with OpenAI's `/embeddings`; or a function, sync or
            async, that takes a list of texts (and the `kwargs`) and gives one vector for each.
        batch_size: how many texts go into one request, or one call of the function. Requests run
            concurrently, and so do calls of an async function; a sync function is called once at a time.
        caching: keep vectors, text by text. A model's go into the process's cache. A function's stay in
            this object's memory, because functions that look alike may differ; unless `cache_key` names
            what the function computes, which puts them into the process's cache under that name.
        **kwargs: settings of every request (`dimensions`, `user` …) or call. `api_key`, `api_base`,
            `api_version`, `headers`, `timeout`, `num_retries`, `deadline` and `http_client` are the connection's.
    """

    def __init__(
        self,
        model: str | Callable[..., Any],
        batch_size: int = 200,
        caching: bool = True,
        *,
        cache_key: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(model, str) and not callable(model):
            raise UsageError(f"Embedder takes a model string or a function, not {type(model).__name__}.")
        self.model = model
        self.batch_size = _positive(batch_size)
        self.caching = caching
        self.default_kwargs = kwargs
        self._source: _Hosted | _Function = (
            _Hosted(model) if isinstance(model, str) else _Function(model, cache_key)
        )

    def __call__(
        self,
        inputs: str | Sequence[str],
        batch_size: int | None = None,
        caching: bool | None = None,
        **kwargs: Any,
    ) -> Vectors:
        """The vectors of `inputs`. LMError where the provider fails for good."""
        return run(self.acall(inputs, batch_size, caching, **kwargs))

    async def acall(
        self,
        inputs: str | Sequence[str],
        batch_size: int | None = None,
        caching: bool | None = None,
        **kwargs: Any,
    ) -> Vectors:
        """The same for async code."""
        import numpy as np

        texts = [inputs] if isinstance(inputs, str) else _texts(inputs)
        if not texts:
            return np.empty((0, 0), dtype=np.float32)
        size = self.batch_size if batch_size is None else _positive(batch_size)
        settings = {**self.default_kwargs, **kwargs}
        vectors = await self._vectors(texts, size, self.caching if caching is None else caching, settings)
        matrix = _matrix([vectors[text] for text in texts])
        return matrix[0] if isinstance(inputs, str) else matrix

    async def _vectors(
        self, texts: list[str], size: int, caching: bool, settings: dict[str, Any]
    ) -> dict[str, Vectors]:
        """Each distinct text's vector: the cache's, or a new one."""
        distinct = list(dict.fromkeys(texts))
        keys = _keys(distinct, self._source.identity(settings)) if caching else None
        store = self._source.store
        known = await in_thread(_known, store, keys) if keys is not None else {}
        missing = [text for text in distinct if text not in known]
        batches = [missing[start : start + size] for start in range(0, len(missing), size)]
        new = await self._embed(batches, settings)
        if keys is not None and new:
            await in_thread(_keep, store, keys, new)
        return {**known, **new}

    async def _embed(self, batches: list[list[str]], settings: dict[str, Any]) -> dict[str, Vectors]:
        async def one(batch: list[str]) -> Vectors:
            return await self._source.embed(batch, settings)

        outcomes = await fan_out(one, batches, workers=self._source.workers)
        new: dict[str, Vectors] = {}
        for batch, outcome in zip(batches, outcomes, strict=True):
            if outcome.error is not None:
                raise outcome.error
            assert outcome.value is not None
            new.update(zip(batch, outcome.value, strict=True))
        return new

    def __repr__(self) -> str:
        return f"Embedder({self.model!r})"


class _Hosted:
    """A provider's model, over OpenAI's `/embeddings`."""

    workers = _AT_ONCE

    def __init__(self, model: str) -> None:
        self.model = model

    @property
    def store(self) -> CacheStore:
        return current_cache()

    def identity(self, settings: dict[str, Any]) -> Any:
        """What the vectors depend on besides the text."""
        endpoint = self._endpoint(settings)
        return ["embeddings", self.model, endpoint.base_url, _payload_settings(settings)]

    async def embed(self, batch: list[str], settings: dict[str, Any]) -> Vectors:
        endpoint = self._endpoint(settings)
        policy = RetryPolicy(settings.get("num_retries", 3), settings.get("deadline"))
        return await retrying(lambda: self._attempt(batch, settings, endpoint), policy)

    async def _attempt(self, batch: list[str], settings: dict[str, Any], endpoint: Endpoint) -> Vectors:
        from dspx.lm.wire.base import Call, dump, parse_body

        payload = {"model": endpoint.model, "input": batch, **_payload_settings(settings)}
        sent = Call(endpoint.url("/embeddings"), endpoint.request_headers(), dump(payload))
        reply = await transport.post(
            sent, timeout=time_left(settings.get("timeout")), client=settings.get("http_client")
        )
        request = Request(self.model, [])
        if not 200 <= reply.status < 300:
            raise endpoint.wire.decode_error(reply.status, reply.headers, reply.body, request, endpoint)
        return _read_reply(parse_body(reply.body, request), len(batch), self.model)

    def _endpoint(self, settings: dict[str, Any]) -> Endpoint:
        from dspx.lm.resolve import resolve

        given = {name: settings[name] for name in _CONNECTION if settings.get(name) is not None}
        base = given.pop("base_url", None)
        return resolve(self.model, **{"api_base": base, **given})


class _Function:
    """A user's function."""

    def __init__(self, function: Callable[..., Any], cache_key: str | None) -> None:
        self.function = function
        self.cache_key = cache_key
        self.workers = _AT_ONCE if is_async(function) else 1
        self._own = MemoryCache(_OWN_ENTRIES)

    @property
    def store(self) -> CacheStore:
        return self._own if self.cache_key is None else current_cache()

    def identity(self, settings: dict[str, Any]) -> Any:
        return ["embedding function", self.cache_key, settings]

    async def embed(self, batch: list[str], settings: dict[str, Any]) -> Vectors:
        rows = _matrix(await call(self.function, batch, **settings))
        if rows.ndim != 2 or len(rows) != len(batch):
            raise UsageError(
                f"The embedding function was given {len(batch)} texts and returned an array of shape "
                f"{rows.shape}: it has to return one vector for each."
            )
        return rows


def _payload_settings(settings: dict[str, Any]) -> dict[str, Any]:
    kept = {*_CONNECTION, "timeout", "num_retries", "deadline", "http_client"}
    return {name: value for name, value in settings.items() if name not in kept and value is not None}


def _read_reply(body: dict[str, Any], count: int, model: str) -> Vectors:
    data: Any = body.get("data")
    try:
        if len(data) != count:
            raise ValueError(f"{len(data)} vectors")
        ordered = sorted(data, key=lambda item: item.get("index", 0))
        return _matrix([_read_vector(item["embedding"]) for item in ordered])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise LMUnexpectedError(
            f"{count} texts were sent to be embedded, and the answer does not hold one vector for each.",
            model=model,
        ) from error


def _read_vector(value: Any) -> Any:
    """A list of numbers, or (with encoding_format="base64") their bytes."""
    if not isinstance(value, str):
        return value
    import numpy as np

    return np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4")


def _matrix(rows: Any) -> Vectors:
    import numpy as np

    return np.asarray(rows, dtype=np.float32)


def _texts(inputs: Sequence[Any]) -> list[str]:
    texts = list(inputs)
    for text in texts:
        if not isinstance(text, str):
            raise UsageError(
                f"Embedder takes a string or a list of strings; the list holds {type(text).__name__}."
            )
    return texts


def _positive(batch_size: int) -> int:
    if batch_size < 1:
        raise UsageError(f"batch_size has to be at least 1, not {batch_size}.")
    return batch_size


# ---------------------------------------------------------------- cache


def _keys(texts: list[str], identity: Any) -> dict[str, str] | None:
    """Each text's key; None where the settings have no stable form."""
    try:
        base = stable_hash(identity)
        return {text: stable_hash([base, text]) for text in texts}
    except TypeError:
        return None


def _known(store: CacheStore, keys: dict[str, str]) -> dict[str, Vectors]:
    import numpy as np

    found: dict[str, Vectors] = {}
    for text, key in keys.items():
        value = store.get(key)
        if value is MISS or not isinstance(value, dict) or not isinstance(value.get("f32"), str):
            continue
        try:
            found[text] = np.frombuffer(base64.b64decode(value["f32"], validate=True), dtype="<f4")
        except ValueError:
            continue
    return found


def _keep(store: CacheStore, keys: dict[str, str], vectors: dict[str, Vectors]) -> None:
    for text, vector in vectors.items():
        store.put(keys[text], {"f32": base64.b64encode(vector.astype("<f4").tobytes()).decode()})
