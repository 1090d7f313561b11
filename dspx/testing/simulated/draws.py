"""Where the model's chances fall: drawn from the request itself, or decided by whoever goes through all outcomes.

The same request always draws the same. What makes requests differ: the messages, the temperature, the number of
the completion (`n`), and `rollout_id`, which at temperature 0 makes no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2b
from random import Random
from typing import Any

Decide = Callable[[float], bool]
"""Given the probability of yes: yes or no."""

_deciding: ContextVar[Decide | None] = ContextVar("dspx_simulated_deciding", default=None)


def key_of(messages: Sequence[Mapping[str, Any]], settings: Mapping[str, Any], seed: int) -> bytes:
    """What tells this request from others, in 16 bytes. Equal requests have equal keys."""
    temperature = float(settings.get("temperature") or 0.0)
    rollout = settings.get("rollout_id") if settings.get("temperature") != 0 else None
    digest = blake2b(f"{seed}|{temperature}|{rollout}".encode(), digest_size=16)
    for message in messages:
        digest.update(f"\x1e{message.get('role')}\x1f{message.get('content')}".encode())
    return digest.digest()


def random_of(key: bytes, index: int) -> Random:
    """The chances of one completion of the request with this key."""
    return Random(int.from_bytes(key, "big") * 1_009 + index)


def decide(probability: float, rng: Random) -> bool:
    """Yes with this probability: by the rng, or as `deciding` says."""
    drawn = rng.random() < probability
    decided = _deciding.get()
    return drawn if decided is None else decided(probability)


def is_deciding() -> bool:
    """Whether outcomes are being gone through, and nothing is really asked."""
    return _deciding.get() is not None


@contextmanager
def deciding(decided: Decide) -> Generator[None]:
    """Within: answers are right or wrong as `decided` says."""
    token = _deciding.set(decided)
    try:
        yield
    finally:
        _deciding.reset(token)
