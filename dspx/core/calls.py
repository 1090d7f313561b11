"""Call a program, an adapter or an LM as its user's code would: a subclass may override the call itself.

DSPy's rule: a sync call goes through `__call__`, an async one through `acall`, whichever a subclass overrides.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from dspx.runtime.bridge import call, in_thread, is_blocking


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a class outside dspx overrides of a class of dspx. `plain_acall` is dspx's own, below `acall`."""

    call: bool = False
    acall: bool = False
    plain_acall: Any = None


@lru_cache(maxsize=1024)
def overrides(cls: type[Any]) -> Overrides | None:
    """Which of `__call__` and `acall` somebody overrode in `cls`; None where nobody did."""
    if _is_ours(cls):
        return None
    own = _overridden(cls, "__call__"), _overridden(cls, "acall")
    if not any(own):
        return None
    return Overrides(*own, next((vars(base)["acall"] for base in cls.__mro__ if _has(base, "acall")), None))


def entrance(thing: Any) -> Callable[..., Awaitable[Any]]:
    """What to await in order to call `thing` from here. Anything callable will do, sync or async."""
    acall = getattr(thing, "acall", None)
    if acall is None:
        return partial(call, thing)
    own = overrides(type(thing))
    if own is None:
        return acall
    if is_blocking():
        return partial(call, thing) if own.call else partial(own.plain_acall, thing)
    return acall if own.acall else partial(in_thread, thing)


def entrance_to(thing: Any) -> Callable[..., Awaitable[Any]]:
    """`entrance` for many calls of one thing, in sync calls and in async ones: settled once, as far as it can be."""
    acall = getattr(thing, "acall", None)
    if acall is None:
        return partial(call, thing)
    return acall if overrides(type(thing)) is None else partial(_entered, thing)


async def _entered(thing: Any, *args: Any, **kwargs: Any) -> Any:
    return await entrance(thing)(*args, **kwargs)


def stepped(thing: Any) -> Callable[..., Any]:
    """The `acall` that a sync call steps: dspx's own, for an overridden one may really wait."""
    own = overrides(type(thing))
    return partial(own.plain_acall, thing) if own is not None and own.acall else thing.acall


def _overridden(cls: type[Any], name: str) -> bool:
    """Whether a class that is not dspx's comes before one that is."""
    owners = [base for base in cls.__mro__ if name in vars(base)]
    return bool(owners) and not _is_ours(owners[0]) and any(_is_ours(owner) for owner in owners)


def _has(base: type[Any], name: str) -> bool:
    return _is_ours(base) and name in vars(base)


def _is_ours(cls: type[Any]) -> bool:
    return cls.__module__.partition(".")[0] == "dspx"
