"""Passages from a ColBERTv2 server (Santhanam et al. 2022), as `colbert.server` and DSPy's hosted ones answer."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import orjson

from dspx.cache.base import MISS
from dspx.cache.configured import current_cache
from dspx.core.canonical import stable_hash
from dspx.core.events import aobserve
from dspx.errors import LMUnexpectedError, UsageError
from dspx.lm import transport
from dspx.lm.retry import RetryPolicy, retrying, time_left
from dspx.lm.wire.base import Call
from dspx.lm.wire.errors import complaint_of, first_words, provider_error
from dspx.retrievers.passage import Passage
from dspx.runtime.bridge import in_thread, run
from dspx.runtime.flight import Flights

_MOST = 100
_flights = Flights()


class ColBERTv2:
    """`ColBERTv2(url="http://…/api/search")(query, k=3)`: the passages, best first, each with `long_text`.

    Args:
        url, port: the server's address.
        post_requests: ask by POST instead of GET.
        num_retries: how often a failed call is tried again; `timeout`: seconds for each attempt.
        cache: keep answers in the process's cache, as LMs' answers are.
    """

    def __init__(
        self,
        url: str = "http://0.0.0.0",
        port: str | int | None = None,
        post_requests: bool = False,
        *,
        num_retries: int = 3,
        timeout: float | None = 30.0,
        cache: bool = True,
        callbacks: list[Any] | None = None,
    ) -> None:
        self.url = f"{url}:{port}" if port else url
        self.post_requests = post_requests
        self.num_retries = num_retries
        self.timeout = timeout
        self.cache = cache
        self.callbacks = list(callbacks or ())

    def __call__(self, query: str, k: int = 10, simplify: bool = False) -> list[Any]:
        """Up to `k` passages, at most 100; with `simplify` their texts alone. LMError where the server fails for good."""
        return run(self.acall(query, k, simplify))

    async def acall(self, query: str, k: int = 10, simplify: bool = False) -> list[Any]:
        """The same for async code."""
        if not 1 <= k <= _MOST:
            raise UsageError(f"k={k}: a ColBERTv2 server gives 1 to {_MOST} passages.")
        found = await aobserve(
            "module", self, lambda: {"query": query, "k": k}, lambda: self._found(query, k)
        )
        passages = [Passage({**item, "long_text": item["text"]}) for item in found[:k]]
        return [passage.long_text for passage in passages] if simplify else passages

    async def _found(self, query: str, k: int) -> list[dict[str, Any]]:
        if not self.cache:
            return await self._ask(query, k)
        store = current_cache()
        key = stable_hash(["colbertv2", self.url, self.post_requests, query, k])
        known = await in_thread(store.get, key)
        if known is not MISS and _is_list_of_passages(known):
            return known
        found, shared = await _flights.once((id(store), key), lambda: self._ask(query, k))
        if not shared:
            await in_thread(store.put, key, found)
        return found

    async def _ask(self, query: str, k: int) -> list[dict[str, Any]]:
        return await retrying(lambda: self._attempt(query, k), RetryPolicy(self.num_retries))

    async def _attempt(self, query: str, k: int) -> list[dict[str, Any]]:
        timeout = time_left(self.timeout)
        if self.post_requests:
            body = orjson.dumps({"query": query, "k": k})
            reply = await transport.post(Call(self.url, _JSON, body), timeout=timeout)
        else:
            mark = "&" if "?" in self.url else "?"
            address = f"{self.url}{mark}{urlencode({'query': query, 'k': k})}"
            reply = await transport.get(address, _ACCEPT, timeout=timeout)
        return _read(reply)

    def __repr__(self) -> str:
        return f"ColBERTv2({self.url!r})"


_ACCEPT = {"accept": "application/json"}
_JSON = {"content-type": "application/json; charset=utf-8", **_ACCEPT}


def _read(reply: transport.Reply) -> list[dict[str, Any]]:
    """The passages in an answer; the error that it reports, or is."""
    try:
        body: Any = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        body = first_words(reply.body)
    failed = not 200 <= reply.status < 300
    if failed or (isinstance(body, dict) and body.get("error")):
        error = provider_error(
            complaint_of(_without_flag(body)),
            status=reply.status if failed else None,
            headers=reply.headers,
            model="colbertv2",
            provider="The ColBERTv2 server",
        )
        error.retryable = failed and error.retryable  # what it says inside a 200 it says again
        raise error
    topk: Any = body.get("topk") if isinstance(body, dict) else None
    if not _is_list_of_passages(topk):
        raise LMUnexpectedError(
            f"The ColBERTv2 server's answer is no list of passages: {first_words(reply.body)}",
            model="colbertv2",
        )
    return topk


def _without_flag(body: Any) -> Any:
    """ColBERT's server says `{"error": true, "message": …}`, where others put the message into `error`."""
    if isinstance(body, dict) and body.get("error") is True:
        return {name: value for name, value in body.items() if name != "error"}
    return body


def _is_list_of_passages(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and isinstance(item.get("text"), str) for item in value
    )
