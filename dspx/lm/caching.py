"""Never ask the same twice: the cache, and one call in flight for equal requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from dspx.cache.base import MISS, CacheStore
from dspx.cache.configured import current_cache
from dspx.cache.layered import LayeredCache
from dspx.core.canonical import stable_hash
from dspx.lm.asker import Asker
from dspx.lm.request import Request
from dspx.lm.response import Response
from dspx.lm.secret_names import is_secret_header
from dspx.runtime.bridge import in_thread, is_blocking
from dspx.runtime.flight import Flights

_VERSION = 1

# What says who asks and how long they wait, not what is asked.
_UNKEYED = frozenset(
    {"api_key", "headers", "extra_headers", "timeout", "deadline", "http_client", "callbacks"}
)
_NESTED = frozenset({"logprobs", "citations", "thinking"})

_flights = Flights()


class Caching:
    """Answers from the cache, or asks and keeps the answer. Sync and async calls share entries.

    `endpoint` is whatever else tells answers apart (the address, the protocol). A request with
    `cache=False`, or one without a stable form, is passed on as it is.
    """

    def __init__(self, inner: Asker, endpoint: Any = None, store: CacheStore | None = None) -> None:
        self.inner = inner
        self.endpoint = endpoint
        self._store = store

    @property
    def store(self) -> CacheStore:
        """The store given, else the process's cache of the moment."""
        return current_cache() if self._store is None else self._store

    async def ask(self, request: Request) -> Response:
        if not request.cache:
            return await self.inner.ask(request)
        try:
            key = self.key(request)
        except TypeError:
            return await self.inner.ask(request)
        store = self.store
        found = _read(store.get(key))
        if found is not None:
            return found
        response, shared = await _flights.once(
            (id(store), key), lambda: self._ask_and_keep(request, key, store)
        )
        return replace(response, cache_hit=True) if shared else response

    def key(self, request: Request) -> str:
        """The key of a request. TypeError where it has no stable form."""
        params = request.params
        if not _UNKEYED.isdisjoint(params):
            params = _keyed(params)
        return stable_hash(
            (_VERSION, self.endpoint, request.model, request.messages, params, request.rollout_id)
        )

    async def _ask_and_keep(self, request: Request, key: str, store: CacheStore) -> Response:
        # Another call may have landed between our look into the cache and our take-off.
        found = _read(store.get(key))
        if found is not None:
            return found
        response = await self.inner.ask(request)
        if not response.cache_hit:
            value = _own(response.to_json())
            if is_blocking() or (isinstance(store, LayeredCache) and store.disk is None):
                store.put(key, value)
            else:
                await in_thread(store.put, key, value)
        return response


def _read(value: Any) -> Response | None:
    """The response in a cache's value; None where there is none that can be read."""
    if value is MISS or not isinstance(value, dict):
        return None
    try:
        return Response.from_json({**_own(value), "cache_hit": True})
    except (ValueError, TypeError, AttributeError):
        return None  # somebody else's entry, or an older dspx's


def _own(value: dict[str, Any]) -> dict[str, Any]:
    """`value` without parts that somebody else could change: the cache's entries belong to the cache."""
    usage = value.get("usage")
    if not (usage and "details" in usage) and not any(
        not _NESTED.isdisjoint(output) for output in value.get("outputs", ())
    ):
        return value
    try:
        return orjson.loads(orjson.dumps(value))
    except TypeError:
        return value  # the disk will refuse it too


def _keyed(params: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in params.items() if name not in _UNKEYED}
    headers = params.get("extra_headers")
    if isinstance(headers, Mapping):
        told = {
            str(name).lower(): value for name, value in headers.items() if not is_secret_header(str(name))
        }
        if told:
            kept["extra_headers"] = told
    return kept
