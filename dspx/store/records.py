"""The records of a store: frozen, and the same again after a trip through JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dspx.errors import StoreError, UsageError
from dspx.store.jsontext import plain
from dspx.store.uuid7 import uuid7

if TYPE_CHECKING:
    from typing_extensions import Self

ProgramStatus = Literal["draft", "optimizing", "production", "archived"]
RunKind = Literal["study", "evaluation"]
RunStatus = Literal["pending", "running", "completed", "failed", "interrupted"]
ExecutionStatus = Literal["pending", "running", "completed", "failed"]

_LONGEST_NAME = 512


@dataclass(frozen=True)
class Record:
    """What all records can: `to_json` and `from_json`, and refuse what no database could keep.

    Fields typed `Any` hold JSON data. They are shared and not copied: treat them as read-only.
    """

    _names: ClassVar[tuple[str, ...]] = ()
    """Fields that identify the record, and so must be short text."""
    _numbers: ClassVar[tuple[str, ...]] = ()
    """Fields that hold a finite number or None."""

    def __post_init__(self) -> None:
        for name in self._names:
            _check_name(getattr(self, name), f"{type(self).__name__}.{name}")
        for name in self._numbers:
            object.__setattr__(self, name, _finite(getattr(self, name), f"{type(self).__name__}.{name}"))
        if "tags" in type(self).__dataclass_fields__:
            object.__setattr__(self, "tags", tuple(getattr(self, "tags")))  # noqa: B009  not all records have it

    def to_json(self) -> dict[str, Any]:
        """The record as JSON data; values that were not JSON take the form in which they are found again."""
        return plain({f.name: getattr(self, f.name) for f in fields(self)}, type(self).__name__)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The record that `to_json` gave. Names it does not know are passed over."""
        known = cls.__dataclass_fields__
        try:
            return cls(**{name: value for name, value in data.items() if name in known})
        except TypeError as error:
            raise StoreError(f"This is no {cls.__name__}: {error}. It has {sorted(data)}.") from error


@dataclass(frozen=True)
class ProgramVersion(Record):
    """One version of a named program: its state never changes, its status follows the lifecycle.

    `parent` is the version it was made from; `succeeded` the one that it took over from in production.
    """

    _names: ClassVar = ("name",)
    _numbers: ClassVar = ("created",)

    name: str
    version: int = 0
    status: ProgramStatus = "draft"
    state: Any = None
    parent: int | None = None
    succeeded: int | None = None
    created: float = 0.0
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run(Record):
    """A study or an evaluation: what was asked for, how far it is, what it found and what that took.

    `parent` and `forked_at` say of which run, after which of its records, this one is a fork.
    Times are seconds since 1970; `best` and `budget_spent` are the caller's own JSON.
    """

    _names: ClassVar = ("id",)
    _numbers: ClassVar = ("created", "started", "finished")

    id: str = field(default_factory=uuid7)
    kind: RunKind = "study"
    name: str = ""
    config: Any = None
    program_hash: str = ""
    dataset_hash: str = ""
    metric: str = ""
    seed: int | None = None
    status: RunStatus = "pending"
    best: Any = None
    budget_spent: Any = None
    parent: str | None = None
    forked_at: int | None = None
    created: float = 0.0
    started: float | None = None
    finished: float | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rollout(Record):
    """One candidate on one example: what came out, and what it took.

    `score` is None where there is none, as when the example raised (`error`). `sequence` is the place in the
    run's one order of rollouts and asks, from 1; the store gives it. `candidate` may be None in a record
    whose `candidate_hash` the run knows already; it is found again in full.
    """

    _names: ClassVar = ("run_id", "key", "candidate_hash", "example_key")
    _numbers: ClassVar = ("score", "cost", "seconds")

    run_id: str
    key: str
    candidate_hash: str
    example_key: str
    candidate: Any = None
    metric: str = ""
    repeat: int = 0
    score: float | None = None
    values: Any = None
    error: Any = None
    trace: Any = None
    usage: Any = None
    cost: float | None = None
    seconds: float = 0.0
    sequence: int = 0

    @property
    def failed(self) -> bool:
        return self.error is not None


@dataclass(frozen=True)
class Ask(Record):
    """A question that a study put to a language model, by label, inputs and how many times asked before."""

    _names: ClassVar = ("run_id", "label", "inputs_hash")
    _numbers: ClassVar = ("cost",)

    run_id: str
    label: str
    inputs_hash: str
    occurrence: int = 0
    answer: Any = None
    usage: Any = None
    cost: float | None = None
    sequence: int = 0


@dataclass(frozen=True)
class Execution(Record):
    """One call of a program, for the record: what went in, what came out, how long it took and what it cost.

    `program` and `program_version` name a stored program; `configuration` what was bound to it. `trace_id` is
    shared by an execution and those within it; `duration` is in seconds, times are seconds since 1970.
    """

    _names: ClassVar = ("id",)
    _numbers: ClassVar = ("cost", "duration", "started", "finished")

    id: str = field(default_factory=uuid7)
    parent_id: str | None = None
    program: str | None = None
    program_version: int | None = None
    configuration: Any = None
    session: str | None = None
    run: str | None = None
    module: str = ""
    signature: str = ""
    inputs: Any = None
    outputs: Any = None
    trace: Any = None
    usage: Any = None
    cost: float | None = None
    duration: float | None = None
    status: ExecutionStatus = "pending"
    error: Any = None
    route: str | None = None
    trace_id: str | None = None
    started: float = 0.0
    finished: float | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset(Record):
    """One version of a named dataset, told apart by its content."""

    _names: ClassVar = ("name", "hash")
    _numbers: ClassVar = ("created",)

    name: str
    hash: str
    version: int = 0
    size: int = 0
    statistics: Any = None
    created: float = 0.0


@dataclass(frozen=True)
class SpaceVersion(Record):
    """One version of the definition of a search space."""

    _names: ClassVar = ("space_id",)
    _numbers: ClassVar = ("created",)

    space_id: str
    version: int = 0
    definition: Any = None
    created: float = 0.0


@dataclass(frozen=True)
class Configuration(Record):
    """One value for every variable of a space, committed as a whole. `space_version` is 0 without a definition."""

    _names: ClassVar = ("space_id",)
    _numbers: ClassVar = ("created",)

    space_id: str
    version: int = 0
    space_version: int = 0
    values: Any = None
    created: float = 0.0


def _check_name(value: Any, what: str) -> None:
    if not isinstance(value, str) or not value or len(value) > _LONGEST_NAME:
        raise UsageError(f"{what} is a text of 1 to {_LONGEST_NAME} characters, not {value!r:.80}.")
    check_text(value, what)


def check_text(value: str, what: str) -> None:
    """Refuse what a database column cannot hold."""
    if "\x00" in value or not (value.isascii() or _is_unicode(value)):
        raise UsageError(f"{what} holds a NUL or half of a surrogate pair: {value!r:.80}.")


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _finite(value: Any, what: str) -> float | None:
    if value is None:
        return None
    number = float(value)
    if not math.isfinite(number):
        raise UsageError(f"{what} is {number}, which is no measurement. Use None, and say why in `error`.")
    return number
