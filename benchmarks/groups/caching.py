"""The cache: hits in memory and on disk, a miss that is written, and equal calls at once."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.cases import AtLeast, AtMost, Times, case
from benchmarks.material import INPUTS, demos, signature
from benchmarks.side import Side
from benchmarks.timing import per_acall, per_call

_number = count()


def _predict(side: Side, *, memory: bool, disk: bool, milliseconds: int = 0, shown: int = 0) -> Any:
    """A Predict on the server, with a cache that is empty."""
    api = side.api
    api.configure_cache(enable_memory_cache=memory, enable_disk_cache=disk, disk_cache_dir=side.cache_dir())
    api.configure(lm=side.lm(side.url(milliseconds), cache=True))
    predict = api.Predict(signature(api))
    predict.demos = demos(api, shown)
    return predict


def _dict_floor(side: Side) -> float:
    """A canonical form, a hash and a dict: the least that a key needs."""
    import hashlib

    import orjson

    messages = [{"role": "system", "content": "x" * 900}, {"role": "user", "content": "y" * 400}]
    request = {"model": "openai/bench", "messages": messages, "temperature": None}

    def key() -> str:
        return hashlib.sha256(orjson.dumps(request, option=orjson.OPT_SORT_KEYS)).hexdigest()

    cache = {key(): "answer"}
    return per_call(side, lambda: cache[key()])


@case(
    "cache.memory",
    "memory-cache hit through Predict",
    target=Times(12),
    floor=_dict_floor,
    floor_title="orjson, sha256, dict",
)
def memory(side: Side) -> float:
    predict = _predict(side, memory=True, disk=False)
    return per_call(side, lambda: predict(**INPUTS))


@case("cache.memory_16", "  16 demos", full_title="memory-cache hit, 16 demos", target=Times(25))
def memory_with_demos(side: Side) -> float:
    predict = _predict(side, memory=True, disk=False, shown=16)
    return per_call(side, lambda: predict(**INPUTS))


@case("cache.memory_acall", "  await acall", target=Times(20))
def memory_acall(side: Side) -> float:
    predict = _predict(side, memory=True, disk=False)
    return per_acall(side, lambda: predict.acall(**INPUTS))


@case("cache.rate", "  hits on one thread", unit="/s", target=AtLeast(8000), higher_is_better=True)
def rate(side: Side) -> float:
    return 1 / memory(side)


# ---------------------------------------------------------------- disk


def _sqlite(side: Side) -> sqlite3.Connection:
    database = sqlite3.connect(Path(side.cache_dir()) / "floor.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    database.execute("CREATE TABLE cache (key TEXT PRIMARY KEY, value TEXT)")
    return database


def _get_floor(side: Side) -> float:
    database = _sqlite(side)
    value = json.dumps({"text": "x" * 600})
    database.execute("INSERT INTO cache VALUES ('key', ?)", (value,))
    query = "SELECT value FROM cache WHERE key = 'key'"
    return per_call(side, lambda: json.loads(database.execute(query).fetchone()[0]))


def _put_floor(side: Side) -> float:
    import http.client

    database = _sqlite(side)
    connection, path = _connection(side)

    def one() -> None:
        body = json.dumps({"messages": [{"role": "user", "content": "x" * 1300}], "n": next(_number)})
        connection.request("POST", path, body, {"content-type": "application/json"})
        value = connection.getresponse().read().decode()
        database.execute("INSERT INTO cache VALUES (?, ?)", (f"{next(_number)}", value))

    assert isinstance(connection, http.client.HTTPConnection)
    return per_call(side, one)


def _connection(side: Side) -> tuple[Any, str]:
    import http.client
    from urllib.parse import urlsplit

    parts = urlsplit(side.url())
    return http.client.HTTPConnection(parts.netloc), parts.path + "/chat/completions"


@case(
    "cache.disk",
    "disk-cache hit through Predict",
    target=Times(5),
    floor=_get_floor,
    floor_title="SQLite get and json.loads",
)
def disk(side: Side) -> float:
    predict = _predict(side, memory=False, disk=True)
    return per_call(side, lambda: predict(**INPUTS))


@case(
    "cache.miss",
    "  miss: HTTP call and write",
    full_title="cache miss: HTTP call and write",
    target=Times(4),
    floor=_put_floor,
    floor_title="http.client and SQLite put",
)
def miss(side: Side) -> float:
    predict = _predict(side, memory=True, disk=True)
    return per_call(side, lambda: predict(**{**INPUTS, "question": f"Number {next(_number)}?"}))


# ---------------------------------------------------------------- at once


@case("cache.once", "64 equal calls at once", unit="requests", target=AtMost(1), heavy=True)
def once(side: Side) -> float:
    predict = _predict(side, memory=True, disk=False, milliseconds=150)
    side.reset()
    at_once(64, lambda: predict(**INPUTS))
    return side.stats()["requests"]


def at_once(count: int, work: Callable[[], Any]) -> None:
    """Run `work` on so many threads that start together."""
    start = threading.Barrier(count)

    def one() -> None:
        start.wait()
        work()

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
