"""What holds for every call unless the call says otherwise: the LM, the adapter, callbacks, limits.

`configure` sets for the whole process, from any thread or task. `context` sets for a block, and for the
work that the block starts; contexts nest, and each keeps only what it was given, so that a later
`configure` of anything else is seen inside it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from dspx.runtime.locks import Lock

DEFAULTS: dict[str, Any] = {
    "lm": None,
    "adapter": None,
    "rm": None,
    "branch_idx": 0,
    "trace": None,
    "callbacks": [],
    "async_max_workers": 8,
    "send_stream": None,
    "disable_history": False,
    "track_usage": False,
    "usage_tracker": None,
    "caller_predict": None,
    "caller_modules": None,
    "stream_listeners": [],
    "provide_traceback": False,
    "num_threads": 8,
    "max_errors": 10,
    "allow_tool_async_sync_conversion": False,
    "max_history_size": 10_000,
    "max_trace_size": 10_000,
    "warn_on_type_mismatch": True,
    "interpreter_factory": None,
}


class _Overlay:
    """The values of the contexts around us, and the whole picture last made from them."""

    __slots__ = ("last", "values")

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self.last: tuple[dict[str, Any] | None, dict[str, Any]] = (None, {})

    def over(self, base: dict[str, Any]) -> dict[str, Any]:
        seen, merged = self.last
        if seen is not base:
            merged = {**base, **self.values}
            self.last = (base, merged)  # both at once: threads share this overlay
        return merged


_lock = Lock()
_base: dict[str, Any] = dict(DEFAULTS)  # replaced, never changed: a snapshot stays what it was
_overlay: ContextVar[_Overlay | None] = ContextVar("dspx_settings", default=None)


def snapshot() -> Mapping[str, Any]:
    """All settings as they are now, for one read per call."""
    overlay = _overlay.get()
    return _base if overlay is None else overlay.over(_base)


class Settings:
    """The settings in force here: `settings.lm`, `settings["lm"]`, `settings.get("lm")`."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        values = snapshot()
        if name not in values:
            raise AttributeError(f"'Settings' object has no attribute {name!r}; it has {sorted(values)}")
        return values[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self.configure(**{name: value})

    def __getitem__(self, name: str) -> Any:
        return snapshot()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.configure(**{name: value})

    def __contains__(self, name: object) -> bool:
        return name in snapshot()

    def __iter__(self) -> Iterator[str]:
        return iter(snapshot())

    def get(self, name: str, default: Any = None) -> Any:
        return snapshot().get(name, default)

    def snapshot(self) -> Mapping[str, Any]:
        return snapshot()

    def copy(self) -> dict[str, Any]:
        return dict(snapshot())

    @property
    def config(self) -> dict[str, Any]:
        return self.copy()

    def configure(self, **values: Any) -> None:
        """Set for the whole process. Inside a `context` that holds the same name, the context goes first."""
        global _base
        _check(values)
        with _lock:
            _base = {**_base, **values}

    @contextmanager
    def context(self, **values: Any) -> Generator[None]:
        """Set for this block, and for the threads and tasks that dspx starts in it."""
        _check(values)
        outer = _overlay.get()
        token = _overlay.set(_Overlay({**outer.values, **values} if outer else values))
        try:
            yield
        finally:
            _overlay.reset(token)

    def __repr__(self) -> str:
        return f"Settings({ {name: value for name, value in snapshot().items() if value != DEFAULTS.get(name)} })"


settings = Settings()
configure = settings.configure
context = settings.context


def _check(values: Mapping[str, Any]) -> None:
    lm = values.get("lm")
    if isinstance(lm, str):
        from dspx.errors import UsageError

        raise UsageError(f"lm={lm!r} is a string; write dspx.LM({lm!r}).")
