"""One row of data: named values, of which some are marked as a program's inputs."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

_SCALARS = frozenset({str, int, float, bool, type(None), bytes})


class Example:
    """Named values, read as attributes or by key.

    >>> ex = Example(question="2 + 2?", answer="4").with_inputs("question")
    >>> ex.inputs(), ex.labels()
    (Example({'question': '2 + 2?'}) (input_keys={'question'}), Example({'answer': '4'}) (input_keys=None))

    `base` may be a dict or another example, whose values and input keys are copied. Keys that start with
    `dspy_` are kept but hidden from `keys`, `values`, `items`, `len` and `repr`.
    """

    __slots__ = ("__dict__", "__weakref__", "_demos", "_input_keys", "_store")

    _store: dict[str, Any]
    _demos: list[Any]
    _input_keys: Collection[str] | None

    def __init__(self, base: Mapping[str, Any] | Example | None = None, **kwargs: Any) -> None:
        put = object.__setattr__
        put(self, "_input_keys", None)
        if base is None:
            put(self, "_store", kwargs)
        elif isinstance(base, Example):
            put(self, "_store", {**base._store, **kwargs})
            put(self, "_input_keys", base._input_keys)
        else:
            put(self, "_store", {**base, **kwargs})

    # ------------------------------------------------------------ values by name

    def __getattr__(self, name: str) -> Any:
        if name[:1] != "_" and name in self._store:
            return self._store[name]
        return self._unusual(name)

    def _unusual(self, name: str) -> Any:
        if name == "_demos":  # hardly anybody's, so made when somebody asks
            object.__setattr__(self, name, demos := [])
            return demos
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        store = object.__getattribute__(self, "_store")
        if name in store:
            return store[name]
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}; it has {list(store)}"
        )

    def __setattr__(self, name: str, value: Any) -> None:
        """Writes the value of that name, also where a method has the same name (then read it by key)."""
        if name[:1] == "_" or isinstance(getattr(type(self), name, None), property):
            object.__setattr__(self, name, value)
        else:
            self._store[name] = value

    def __delattr__(self, name: str) -> None:
        if name in self._store:
            del self._store[name]
        else:
            object.__delattr__(self, name)

    def __getitem__(self, key: str) -> Any:
        return self._store[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._store[key] = value

    def __delitem__(self, key: str) -> None:
        del self._store[key]

    def __contains__(self, key: object) -> bool:
        return key in self._store

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._store))

    def __len__(self) -> int:
        return len(self.keys())

    def keys(self, include_dspy: bool = False) -> list[str]:
        return [key for key in self._store if include_dspy or not _is_hidden(key)]

    def values(self, include_dspy: bool = False) -> list[Any]:
        return [value for key, value in self._store.items() if include_dspy or not _is_hidden(key)]

    def items(self, include_dspy: bool = False) -> list[tuple[str, Any]]:
        return [(key, value) for key, value in self._store.items() if include_dspy or not _is_hidden(key)]

    def get(self, key: str, default: Any = None) -> Any:
        return self._store.get(key, default)

    # ------------------------------------------------------------ inputs and labels

    def with_inputs(self, *keys: str) -> Self:
        """A copy in which these keys are the inputs."""
        copied = self.copy()
        object.__setattr__(copied, "_input_keys", _shared(keys))
        return copied

    def inputs(self) -> Self:
        """The inputs alone. `ValueError` where nobody said which they are."""
        if self._input_keys is None:
            raise ValueError(
                "Inputs have not been set for this example. Use `example.with_inputs()` to set them."
            )
        return self._part(
            {key: value for key, value in self._store.items() if key in self._input_keys}, self._input_keys
        )

    def labels(self) -> Self:
        """Everything that is not an input."""
        inputs = self._input_keys or ()
        return self._part({key: value for key, value in self._store.items() if key not in inputs}, None)

    def _part(self, store: dict[str, Any], input_keys: Collection[str] | None) -> Self:
        part = type(self)(store)
        object.__setattr__(part, "_input_keys", input_keys)
        return part

    # ------------------------------------------------------------ copies

    def copy(self, **kwargs: Any) -> Self:
        """A copy, with some values replaced."""
        copied = type(self)(self, **kwargs)
        object.__setattr__(copied, "_input_keys", self._input_keys)
        return copied

    def without(self, *keys: str) -> Self:
        """A copy without these keys. `KeyError` for one that is not there."""
        copied = self.copy()
        for key in keys:
            del copied._store[key]
        return copied

    def toDict(self) -> dict[str, Any]:
        """Plain data all the way down: nested examples and pydantic models become dicts."""
        return {key: _plain(value) for key, value in self._store.items()}

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        new = object.__new__(type(self))
        memo[id(self)] = new
        put = object.__setattr__
        put(
            new,
            "_store",
            {k: v if type(v) in _SCALARS else copy.deepcopy(v, memo) for k, v in self._store.items()},
        )
        put(new, "_input_keys", self._input_keys)
        put(new, "_demos", list(self._demos))
        if self.__dict__:
            new.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return new

    def __getstate__(self) -> dict[str, Any]:
        return {
            **self.__dict__,
            "_store": self._store,
            "_demos": self._demos,
            "_input_keys": self._input_keys,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)

    # ------------------------------------------------------------ comparing, showing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Example) and self._store == other._store

    def __hash__(self) -> int:
        return hash(frozenset(self._store.items()))

    def __repr__(self) -> str:
        keys = None if self._input_keys is None else set(self._input_keys)
        return f"Example({dict(self.items())}) (input_keys={keys})"

    def __str__(self) -> str:
        return self.__repr__()


@lru_cache(maxsize=1024)
def _shared(keys: tuple[str, ...]) -> frozenset[str]:
    """One set for all the examples that have these inputs."""
    return frozenset(keys)


def _is_hidden(key: str) -> bool:
    return key.startswith("dspy_")


def _plain(value: Any) -> Any:
    if type(value) in _SCALARS:
        return value
    if hasattr(value, "toDict"):
        return value.toDict()
    if hasattr(value, "model_dump"):
        return value.model_dump()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def arguments_of(example: Any) -> dict[str, Any]:
    """What to call a program with: the example's inputs, as keywords."""
    if type(example) is not Example or example._input_keys is None:
        return dict(example.inputs().items())
    keys = example._input_keys
    return {key: value for key, value in example._store.items() if key in keys and key[:5] != "dspy_"}


def rows(data: Iterable[Mapping[str, Any]], *input_keys: str) -> list[Example]:
    """Examples from dicts, with these keys as inputs."""
    return [Example(row).with_inputs(*input_keys) for row in data]
