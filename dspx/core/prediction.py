"""What a program answered: the first completion's values, and the other completions beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dspx.core.example import Example

if TYPE_CHECKING:
    from typing_extensions import Self


class Prediction(Example):
    """Named outputs. One with a `score` adds, divides and compares like that number.

    `completions` holds every completion where more than one was asked for; `get_lm_usage()` the tokens
    that the call used, by model, where usage was tracked.
    """

    __slots__ = ("_answered_by", "_asked_again", "_completions", "_configuration", "_lm_usage", "_signature")

    _completions: Completions | Mapping[str, Any] | None
    """A single completion is its row until somebody wants to see it as one: hardly anybody does."""
    _signature: Any
    _lm_usage: dict[str, Any] | None
    _answered_by: str | None
    _asked_again: str | None
    _configuration: Mapping[str, Any] | None

    def __init__(self, base: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        put = object.__setattr__
        put(
            self,
            "_store",
            {**base, **kwargs} if base is not None and not isinstance(base, Example) else kwargs,
        )
        put(self, "_input_keys", None)
        put(self, "_completions", None)
        put(self, "_lm_usage", None)
        if isinstance(base, Example):
            put(self, "_store", {**base._store, **kwargs})

    @classmethod
    def from_completions(
        cls, list_or_dict: Sequence[Mapping[str, Any]] | Mapping[str, list[Any]], signature: Any = None
    ) -> Self:
        """A prediction of the first of these completions, which keeps them all."""
        draft: Any = object.__new__(_Draft)
        if type(list_or_dict) is list and len(list_or_dict) == 1:
            draft._completions, draft._signature = list_or_dict[0], signature
            draft._store = {**list_or_dict[0]}
        else:
            draft._completions = completions = Completions(list_or_dict, signature)
            draft._store = completions._first()
        draft._input_keys = draft._lm_usage = None
        draft.__class__ = cls
        return draft

    @property
    def completions(self) -> Completions:
        """All completions, as columns. A prediction made by hand has one: itself."""
        made = self._completions
        if made is None:
            return Completions([self._store])
        if not isinstance(made, Completions):
            made = Completions([made], self._signature)
            object.__setattr__(self, "_completions", made)
        return made

    def get_lm_usage(self) -> dict[str, Any] | None:
        """Tokens used, by model; None where usage was not tracked."""
        return self._lm_usage

    def get_lm_route(self) -> str | None:
        """The model that answered, where it was a fallback and not the one that was asked; else None."""
        return getattr(self, "_answered_by", None)

    def set_lm_route(self, model: str | None) -> None:
        object.__setattr__(self, "_answered_by", model)

    def get_reask(self) -> str | None:
        """What was wrong with the first answer, where the LM had to be asked a second time; else None."""
        return getattr(self, "_asked_again", None)

    def set_reask(self, problem: str | None) -> None:
        object.__setattr__(self, "_asked_again", problem)

    def get_configuration(self) -> Mapping[str, Any] | None:
        """Which stored configuration this was made under (`{"space": …, "version": …}`): see `store.bind`; else None."""
        return getattr(self, "_configuration", None)

    def set_configuration(self, configuration: Mapping[str, Any] | None) -> None:
        object.__setattr__(self, "_configuration", configuration)

    def set_lm_usage(self, usage: dict[str, Any]) -> None:
        object.__setattr__(self, "_lm_usage", usage)

    def copy(self, **kwargs: Any) -> Self:
        copied = super().copy(**kwargs)
        copied.__setstate__(self._how_it_came())
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        new = super().__deepcopy__(memo)
        new.__setstate__(self._how_it_came())
        return new

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), **self._how_it_came()}

    def _how_it_came(self) -> dict[str, Any]:
        return {name: getattr(self, name, None) for name in Prediction.__slots__}

    # ------------------------------------------------------------ a prediction as its score

    def __float__(self) -> float:
        if "score" not in self._store:
            raise ValueError("Prediction object does not have a 'score' field to convert to float.")
        return float(self._store["score"])

    def __add__(self, other: Any) -> float:
        return float(self) + _number(other, "addition")

    __radd__ = __add__

    def __sub__(self, other: Any) -> float:
        return float(self) - _number(other, "subtraction")

    def __rsub__(self, other: Any) -> float:
        return _number(other, "subtraction") - float(self)

    def __mul__(self, other: Any) -> float:
        return float(self) * _number(other, "multiplication")

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> float:
        return float(self) / _number(other, "division")

    def __rtruediv__(self, other: Any) -> float:
        return _number(other, "division") / float(self)

    def __lt__(self, other: Any) -> bool:
        return float(self) < _number(other, "comparison")

    def __le__(self, other: Any) -> bool:
        return float(self) <= _number(other, "comparison")

    def __gt__(self, other: Any) -> bool:
        return float(self) > _number(other, "comparison")

    def __ge__(self, other: Any) -> bool:
        return float(self) >= _number(other, "comparison")

    def __repr__(self) -> str:
        values = ",\n    ".join(f"{key}={value!r}" for key, value in self.items())
        shown = f"Prediction(\n    {values}\n)"
        others = len(self.completions) - 1
        if others < 1:
            return shown
        return f"{shown[:-2]},\n    completions=Completions(...)\n) ({others} completions omitted)"


class _Draft(Example):
    """A prediction while it is made: its slots are set as any object's are, at a fifth of the cost."""

    __slots__ = Prediction.__slots__
    if not TYPE_CHECKING:
        __setattr__ = object.__setattr__
        __delattr__ = object.__delattr__


class Completions:
    """Several completions of one call, read as columns: `completions[0]`, `completions.answer`."""

    __slots__ = ("_columns", "signature")

    def __init__(
        self, list_or_dict: Sequence[Mapping[str, Any]] | Mapping[str, list[Any]], signature: Any = None
    ) -> None:
        self.signature = signature
        self._columns = _columns_of(list_or_dict)

    def _first(self) -> dict[str, Any]:
        return {name: column[0] for name, column in self._columns.items()}

    def items(self) -> list[tuple[str, list[Any]]]:
        return list(self._columns.items())

    def keys(self) -> list[str]:
        return list(self._columns)

    def __len__(self) -> int:
        return len(next(iter(self._columns.values()), ()))

    def __iter__(self) -> Iterator[Prediction]:
        return (self[index] for index in range(len(self)))

    def __contains__(self, key: object) -> bool:
        return key in self._columns

    def __getitem__(self, key: int | str) -> Any:
        if isinstance(key, str):
            return self._columns[key]
        if not 0 <= key < len(self):
            raise IndexError(f"Completion {key} was asked for, but there are {len(self)}, counted from 0.")
        return Prediction(**{name: column[key] for name, column in self._columns.items()})

    def __getattr__(self, name: str) -> list[Any]:
        if not name.startswith("_") and name in self._columns:
            return self._columns[name]
        raise AttributeError(f"'Completions' object has no attribute {name!r}")

    def __getstate__(self) -> tuple[dict[str, list[Any]], Any]:
        return self._columns, self.signature

    def __setstate__(self, state: tuple[dict[str, list[Any]], Any]) -> None:
        self._columns, self.signature = state

    def __repr__(self) -> str:
        columns = ",\n    ".join(f"{name}={column!r}" for name, column in self._columns.items())
        return f"Completions(\n    {columns}\n)"


def _columns_of(given: Sequence[Mapping[str, Any]] | Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    if isinstance(given, Mapping):
        columns = {name: list(column) for name, column in given.items()}
    else:
        for row in given:
            for name, value in row.items():
                columns.setdefault(name, []).append(value)
    if len({len(column) for column in columns.values()}) > 1:
        sizes = {name: len(column) for name, column in columns.items()}
        raise ValueError(f"All fields of completions must have the same number of values, not {sizes}.")
    return columns


def _number(value: Any, operation: str) -> float:
    if isinstance(value, (int, float, Prediction)):
        return float(value)
    raise TypeError(f"Unsupported type for {operation} with a Prediction: {type(value)}")
