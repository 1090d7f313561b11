"""Variables: named, typed, constrained values that a program can be tuned by.

    temperature = dspx.Float("temperature", 0.0, 1.5, default=0.7).bind("*.lm.temperature")
    style = dspx.Choice("style", ["terse", "formal"], binding=lambda v: {"answer.instructions": STYLES[v]})
    strategy = dspx.Choice.of_modules("strategy", [dspx.Predict, dspx.ChainOfThought]).bind("answer")

A variable is a value itself: frozen, comparable, with a JSON definition. A `dspx.Space` joins variables to a program.
Cost, latency and quality are what a search aims at, never variables.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from dspx.core.canonical import to_plain
from dspx.core.example import Example
from dspx.errors import ConfigurationError

if TYPE_CHECKING:
    from typing_extensions import Self

Binding = Any
"""A path, several, or a function from a value to what it stands for: `{path: value}`."""

_MUTATION = 0.15
"""How far a number is moved by a mutation: the standard deviation, as a share of its range."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """What a Bayesian search needs to know of a variable: a number's range, or how many options there are."""

    low: float = 0.0
    high: float = 1.0
    log: bool = False
    step: float | None = None
    options: int | None = None

    @property
    def is_category(self) -> bool:
        return self.options is not None


class _WithDefault:
    """Says that kinds have a `default`, without making it the first field of all."""

    default: Any


@dataclass(frozen=True, eq=False)
class Variable(_WithDefault):
    """What all variables have: a name, and what they are bound to in the program."""

    kind: ClassVar[str] = ""
    name: str
    binding: Binding = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ConfigurationError(f"A variable's name is a text, not {self.name!r}.")
        object.__setattr__(self, "binding", _binding(self.binding, self.name))

    def bind(self, *paths: str) -> Self:
        """This variable, bound to these places too: `"answer.config.max_tokens"`, `"*.lm.temperature"`, `"retriever.k"`."""
        if callable(self.binding):
            raise ConfigurationError(
                f"{self.name!r} is bound by a function already; paths would not add to it."
            )
        return replace(self, binding=(*self.binding, *paths))

    # ------------------------------------------------------------ values

    def check(self, value: Any) -> Any:
        """The value in its normal form. `ValueError` says what is wrong with it."""
        raise NotImplementedError

    def resolve(self, value: Any) -> Any:
        """What a value stands for: of a choice, the option under that key."""
        return value

    def writes(self, value: Any) -> dict[str, Any]:
        """What a value puts where, by path."""
        meant = self.resolve(value)
        if callable(self.binding):
            return _checked_writes(self.name, self.binding(meant))
        return dict.fromkeys(self.binding, meant)

    # ------------------------------------------------------------ searching

    @property
    def dimension(self) -> Dimension | None:
        """What there is to search; None for what a search leaves alone."""
        return None

    @property
    def cardinality(self) -> float:
        """How many values there are to search: infinity for a continuous range."""
        return 1

    @property
    def mutable(self) -> bool:
        """Whether `mutate` gives another value."""
        return self.dimension is not None and self.cardinality > 1

    def at(self, place: float) -> Any:
        """The value at a place from 0 to 1 (1 excluded): equal stretches are equally likely values."""
        return self.default

    def sample(self, rng: Random) -> Any:
        return self.at(rng.random())

    def mutate(self, value: Any, rng: Random) -> Any:
        """Another value near this one; the same for what a search leaves alone."""
        return value

    def suggest(self, trial: Any) -> Any:
        """The value that an optuna trial gives."""
        return self.default

    # ------------------------------------------------------------ as data

    def to_json(self) -> dict[str, Any]:
        """The definition as JSON data."""
        binding = "function" if callable(self.binding) else list(self.binding)
        return {"kind": self.kind, "name": self.name, **self._json(), "binding": binding}

    def _json(self) -> dict[str, Any]:
        return {}

    def _identity(self) -> Any:
        return self.to_json(), self.binding

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._identity() == other._identity()  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((self.kind, self.name))


# ---------------------------------------------------------------- numbers


@dataclass(frozen=True, eq=False)
class Float(Variable):
    """A number from `low` to `high`; only multiples of `step` from `low` where one is given.

    `log=True` searches by orders of magnitude.
    """

    kind: ClassVar[str] = "float"

    low: float
    high: float
    default: float
    step: float | None = None
    log: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("low", "high"):
            object.__setattr__(self, name, _number(getattr(self, name), f"{name} of {self.name!r}"))
        _check_range(self)
        object.__setattr__(self, "default", _default(self))

    def check(self, value: Any) -> float:
        if not _is_number(value) or not self.low <= value <= self.high:
            raise ValueError(f"is a number from {self.low} to {self.high}, not {value!r:.80}")
        number = float(value)
        if self.step is None:
            return number
        nearest = self._on_grid(round((number - self.low) / self.step))
        if abs(nearest - number) > 1e-6 * self.step:
            raise ValueError(f"goes from {self.low} in steps of {self.step}, which do not meet {value!r}")
        return nearest

    @property
    def dimension(self) -> Dimension:
        return Dimension(self.low, self._top, self.log, self.step)

    @property
    def cardinality(self) -> float:
        return 1 if self.low == self.high else math.inf if self.step is None else self._steps + 1

    def at(self, place: float) -> float:
        if self.step is not None:
            return self._on_grid(min(int(place * (self._steps + 1)), self._steps))
        if self.log:
            return _clipped(self.low * (self.high / self.low) ** place, self.low, self.high)
        return _clipped(self.low + place * (self.high - self.low), self.low, self.high)

    def mutate(self, value: float, rng: Random) -> float:
        """A Gaussian step of 15 % of the range, thrown back at its ends; on a grid, at least one step of it."""
        if self.log:
            place = math.log(value / self.low) / (math.log(self.high / self.low) or 1.0)
            place = _reflected(place + rng.gauss(0.0, _MUTATION))
            return _clipped(self.low * (self.high / self.low) ** place, self.low, self.high)
        place = (value - self.low) / ((self.high - self.low) or 1.0)
        place = _reflected(place + rng.gauss(0.0, _MUTATION))
        moved = _clipped(self.low + place * (self.high - self.low), self.low, self.high)
        if self.step is None:
            return moved
        here = round((value - self.low) / self.step)
        there = min(round((moved - self.low) / self.step), self._steps)
        return self._on_grid(_beside(here, self._steps, rng) if there == here else there)

    def suggest(self, trial: Any) -> float:
        return self.check(trial.suggest_float(self.name, self.low, self._top, step=self.step, log=self.log))

    @property
    def _steps(self) -> int:
        assert self.step is not None
        return math.floor((self.high - self.low) / self.step + 1e-9)

    @property
    def _top(self) -> float:
        return self.high if self.step is None else self._on_grid(self._steps)

    def _on_grid(self, index: int) -> float:
        assert self.step is not None
        return _clipped(round(self.low + index * self.step, 12), self.low, self.high)

    def _json(self) -> dict[str, Any]:
        return _range_json(self)


@dataclass(frozen=True, eq=False)
class Integer(Variable):
    """A whole number from `low` to `high`, in steps of `step` from `low`. `log=True` searches by magnitude."""

    kind: ClassVar[str] = "integer"

    low: int
    high: int
    default: int
    step: int = 1
    log: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("low", "high", "step"):
            if not _is_integer(getattr(self, name)):
                raise ConfigurationError(
                    f"{name} of {self.name!r} is a whole number, not {getattr(self, name)!r}."
                )
        _check_range(self)
        if self.log and self.step != 1:
            raise ConfigurationError(f"{self.name!r} cannot have both log=True and a step.")
        object.__setattr__(self, "default", _default(self))

    def check(self, value: Any) -> int:
        if not _is_integer(value) or not self.low <= value <= self.high:
            raise ValueError(f"is a whole number from {self.low} to {self.high}, not {value!r:.80}")
        if (value - self.low) % self.step:
            raise ValueError(f"goes from {self.low} in steps of {self.step}, which do not meet {value!r}")
        return int(value)

    @property
    def dimension(self) -> Dimension:
        return Dimension(self.low, self._top, self.log, self.step)

    @property
    def cardinality(self) -> float:
        return self._steps + 1

    def at(self, place: float) -> int:
        if self.log:
            low, high = self.low - 0.5, self.high + 0.5
            return int(_clipped(round(low * (high / low) ** place), self.low, self.high))
        return self.low + self.step * min(int(place * (self._steps + 1)), self._steps)

    def mutate(self, value: int, rng: Random) -> int:
        """One step up or down."""
        return self.low + self.step * _beside((value - self.low) // self.step, self._steps, rng)

    def suggest(self, trial: Any) -> int:
        return self.check(trial.suggest_int(self.name, self.low, self._top, step=self.step, log=self.log))

    @property
    def _steps(self) -> int:
        return (self.high - self.low) // self.step

    @property
    def _top(self) -> int:
        return self.low + self.step * self._steps

    def _json(self) -> dict[str, Any]:
        return _range_json(self)


def Probability(
    name: str, default: float = 0.5, *, step: float | None = None, binding: Binding = ()
) -> Float:
    """A number from 0 to 1."""
    return Float(name, 0.0, 1.0, default, step, binding=binding)


# ---------------------------------------------------------------- options


@dataclass(frozen=True, eq=False)
class Bool(Variable):
    """True or False."""

    kind: ClassVar[str] = "bool"

    default: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "default", _default(self))

    def check(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError(f"is True or False, not {value!r:.80}")
        return value

    @property
    def dimension(self) -> Dimension:
        return Dimension(options=2)

    @property
    def cardinality(self) -> float:
        return 2

    def at(self, place: float) -> bool:
        return place >= 0.5

    def mutate(self, value: bool, rng: Random) -> bool:
        return not value

    def suggest(self, trial: Any) -> bool:
        return trial.suggest_categorical(self.name, [False, True])

    def _json(self) -> dict[str, Any]:
        return {"default": self.default}


Key = Any
"""What a choice's options are known by: a text, a number, a bool or None."""

_FIRST: Any = object()


@dataclass(frozen=True, eq=False)
class Choice(Variable):
    """One of several options, of any kind: texts, numbers, LMs, adapters.

    An option is known by its key, which is what candidates hold: a text or number is its own, a class has its name,
    an LM its model. Give a dict to name the keys yourself. `default` is the first option.
    """

    kind: ClassVar[str] = "choice"

    options: Any
    default: Key = _FIRST
    modules: bool = field(default=False, kw_only=True)
    prefers_own: bool = field(default=False, kw_only=True, repr=False)
    """Of modules: the default is the class that the program has, where it is an option."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "options", MappingProxyType(_options(self.name, self.options)))
        chosen = next(iter(self.options)) if self.default is _FIRST else self.default
        object.__setattr__(self, "default", chosen)
        object.__setattr__(self, "default", _default(self))

    @classmethod
    def of_modules(cls, name: str, classes: Any, default: Key = _FIRST, *, binding: Binding = ()) -> Choice:
        """Which class a sub-module is: it is rebuilt for the same signature, demos and instructions carried over.

        A class is called with the signature alone. For one that needs more, give a function of the signature:
        `{"react": lambda signature: dspx.ReAct(signature, tools=[search])}`. The default is the class that the
        sub-module has, where it is among these.
        """
        made = cls(name, classes, default, binding=binding, modules=True, prefers_own=default is _FIRST)
        for key, option in made.options.items():
            if not callable(option):
                raise ConfigurationError(
                    f"Option {key!r} of {name!r} is no class or function of a signature: {option!r}."
                )
        return made

    @property
    def keys(self) -> list[Key]:
        return list(self.options)

    def check(self, value: Any) -> Key:
        """The key, also of an option given itself."""
        for key, option in self.options.items():
            if value is option or (type(value) is type(key) and value == key):
                return key
        raise ValueError(f"is one of {self.keys}, not {value!r:.80}")

    def resolve(self, value: Key) -> Any:
        return self.options[value]

    @property
    def dimension(self) -> Dimension:
        return Dimension(options=len(self.options))

    @property
    def cardinality(self) -> float:
        return len(self.options)

    def at(self, place: float) -> Key:
        return self.keys[min(int(place * len(self.options)), len(self.options) - 1)]

    def mutate(self, value: Key, rng: Random) -> Key:
        """Any other option."""
        others = [key for key in self.options if key != value]
        return rng.choice(others) if others else value

    def suggest(self, trial: Any) -> Key:
        return trial.suggest_categorical(self.name, self.keys)

    def _json(self) -> dict[str, Any]:
        return {"options": self.keys, "default": self.default, "modules": self.modules}

    def _identity(self) -> Any:
        return super()._identity(), list(self.options.values())


# ---------------------------------------------------------------- values that are set, and not sampled


@dataclass(frozen=True, eq=False)
class Text(Variable):
    """Free text, such as a leaf's instructions. Optimizers write it; sampling leaves it alone."""

    kind: ClassVar[str] = "text"

    default: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "default", _default(self))

    def check(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(f"is a text, not {value!r:.80}")
        return value

    def _json(self) -> dict[str, Any]:
        return {"default": self.default}


@dataclass(frozen=True, eq=False)
class Demos(Variable):
    """A list of examples. Optimizers choose them; sampling leaves them alone."""

    kind: ClassVar[str] = "demos"

    default: Sequence[Any] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "default", _default(self))

    def check(self, value: Any) -> tuple[Any, ...]:
        if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__iter__"):
            raise ValueError(f"is a list of examples, not {value!r:.80}")
        return tuple(_demo(demo) for demo in value)

    def _json(self) -> dict[str, Any]:
        return {
            "default": [
                to_plain(demo.toDict()) if hasattr(demo, "toDict") else to_plain(demo)
                for demo in self.default
            ]
        }


@dataclass(frozen=True, eq=False)
class Derived(Variable):
    """Computed from other variables, never set: `Derived("max_tokens", lambda style: …, ["style"])`.

    `fn` gets the values of `deps`, in that order; of a choice, its key.
    """

    kind: ClassVar[str] = "derived"

    fn: Callable[..., Any]
    deps: Sequence[str]

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "deps", (self.deps,) if isinstance(self.deps, str) else tuple(self.deps))

    def check(self, value: Any) -> Any:
        raise ValueError(f"is computed from {list(self.deps)} and cannot be set")

    def _json(self) -> dict[str, Any]:
        return {"deps": list(self.deps)}

    def _identity(self) -> Any:
        return super()._identity(), self.fn


@dataclass(frozen=True, eq=False)
class Tensor(Variable):
    """An array of numbers of this shape. Checked, stored and versioned; a search leaves it alone."""

    kind: ClassVar[str] = "tensor"

    shape: tuple[int, ...]
    default: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        shape = tuple(self.shape)
        if not all(_is_integer(size) and size > 0 for size in shape):
            raise ConfigurationError(f"The shape of {self.name!r} is a list of sizes, not {self.shape!r}.")
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "default", self._zeros() if self.default is None else _default(self))

    def check(self, value: Any) -> Any:
        """A read-only array of 64-bit numbers."""
        import numpy as np

        try:
            array = np.array(value, dtype=np.float64, order="C")
        except (TypeError, ValueError):
            array = np.array(math.nan)
        if array.shape != self.shape or not np.isfinite(array).all():
            raise ValueError(
                f"is an array of {'×'.join(map(str, self.shape))} finite numbers, not {value!r:.80}"
            )
        array.setflags(write=False)
        return array

    def _zeros(self) -> Any:
        import numpy as np

        return self.check(np.zeros(self.shape))

    def _json(self) -> dict[str, Any]:
        return {"shape": list(self.shape), "default": to_plain(self.default)}


def Embedding(name: str, dims: int, default: Any = None, *, binding: Binding = ()) -> Tensor:
    """A vector of `dims` numbers: a `Tensor` of one dimension."""
    return Tensor(name, (dims,), default, binding=binding)


_FROM_JSON: dict[str, type[Any]] = {
    cls.kind: cls for cls in (Float, Integer, Bool, Choice, Text, Demos, Tensor)
}


def variable_from_json(data: Mapping[str, Any]) -> Variable:
    """The variable that `to_json` described. `ConfigurationError` for one that is made of code."""
    values = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in data.items()
        if name != "kind"
    }
    cls = _FROM_JSON.get(data.get("kind", ""))
    if cls is None or values.get("binding") == "function" or values.get("modules"):
        raise ConfigurationError(
            f"{data.get('name')!r} is made of code (a function, or classes), which JSON does not hold: build it as the program does."
        )
    return cls(**values)


# ---------------------------------------------------------------- checks


def _binding(binding: Binding, name: str) -> Binding:
    if isinstance(binding, str):
        return (binding,)
    if callable(binding):
        return binding
    paths = tuple(binding)
    if not all(isinstance(path, str) for path in paths):
        raise ConfigurationError(f"{name!r} is bound to paths, or by a function: not {binding!r}.")
    return paths


def _checked_writes(name: str, writes: Any) -> dict[str, Any]:
    if not isinstance(writes, Mapping) or not all(isinstance(path, str) for path in writes):
        raise ConfigurationError(
            f"The binding of {name!r} must return {{path: value}}, but gave {writes!r:.80}."
        )
    return dict(writes)


def _default(variable: Any) -> Any:
    try:
        return variable.check(variable.default)
    except ValueError as error:
        raise ConfigurationError(f"The default of {variable.name!r} does not fit: it {error}.") from error


def _number(value: Any, what: str) -> float:
    if not _is_number(value) or not math.isfinite(value):
        raise ConfigurationError(f"{what} is a number, not {value!r}.")
    return float(value)


def _check_range(variable: Any) -> None:
    if variable.low > variable.high:
        raise ConfigurationError(
            f"{variable.name!r} goes from {variable.low} to {variable.high}: low is above high."
        )
    if variable.step is not None and not variable.step > 0:
        raise ConfigurationError(f"The step of {variable.name!r} is above 0, not {variable.step!r}.")
    if variable.log and variable.low <= 0:
        raise ConfigurationError(
            f"{variable.name!r} has log=True, so low must be above 0, not {variable.low}."
        )
    if variable.log and isinstance(variable, Float) and variable.step is not None:
        raise ConfigurationError(f"{variable.name!r} cannot have both log=True and a step.")


def _range_json(variable: Any) -> dict[str, Any]:
    return {name: getattr(variable, name) for name in ("low", "high", "default", "step", "log")}


def _is_number(value: Any) -> bool:
    import numbers

    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    import numbers

    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _clipped(number: float, low: float, high: float) -> float:
    return min(max(number, low), high)


def _reflected(place: float) -> float:
    """A place beyond 0 or 1 as far inside."""
    place = abs(place) % 2.0
    return 2.0 - place if place > 1.0 else place


def _beside(index: int, last: int, rng: Random) -> int:
    """The index before or after; at an end, the one that there is."""
    if last == 0:
        return index
    if index in (0, last):
        return 1 if index == 0 else last - 1
    return index + rng.choice((-1, 1))


def _options(name: str, options: Any) -> dict[Any, Any]:
    if isinstance(options, Mapping):
        keyed = dict(options)
    else:
        pairs = [(_key_of(name, option), option) for option in options]
        keyed = dict(pairs)
        if len(keyed) < len(pairs):
            raise ConfigurationError(
                f"Options of {name!r} have the same key: {[key for key, _ in pairs]}. Name them: {{'a': …, 'b': …}}."
            )
    if not keyed:
        raise ConfigurationError(f"{name!r} has no options to choose from.")
    for key in keyed:
        if not isinstance(key, (str, int, float, bool, type(None))):
            raise ConfigurationError(f"The keys of {name!r} are texts or numbers, not {key!r}.")
    return keyed


def _key_of(name: str, option: Any) -> Any:
    """A plain value is its own key; other options have the name that they go by."""
    if isinstance(option, (str, int, float, bool, type(None))):
        return option
    for owner, attribute in (
        (option, "__name__"),
        (option, "model"),
        (option, "name"),
        (type(option), "__name__"),
    ):
        found = getattr(owner, attribute, None)
        if found == "<lambda>" or (owner is not option and type(option).__module__ == "builtins"):
            break
        if isinstance(found, str):
            return found
    raise ConfigurationError(
        f"An option of {name!r} has no name of its own: {option!r:.80}. Name it: {{'a': …, 'b': …}}."
    )


def _demo(demo: Any) -> Any:
    if isinstance(demo, Mapping):
        return Example(demo)
    if not hasattr(demo, "items"):
        raise ValueError(f"is a list of examples, but one of them is {demo!r:.80}")
    return demo
