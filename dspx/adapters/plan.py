"""What an adapter works out once for a signature: its fields by role, their readers, its fixed texts, rendered demos."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from dspx.adapters import native_tools
from dspx.adapters.coerce import Coercer, allows_none, coercer
from dspx.adapters.render import Renderer, content_types, is_content, jsonable, renderer
from dspx.core.example import Example
from dspx.core.fields import MISSING, Field
from dspx.runtime.locks import Lock

T = TypeVar("T")


def plan_for(signature: Any, layout: Any) -> Plan:
    """The plan of this layout for this signature, made at the first call and kept with the signature."""
    plan = signature.__plans__.get(layout)
    if plan is None:
        plan = signature.__plans__[layout] = Plan(signature, _shape_for(signature, layout))
    return plan


class Plan:
    """One layout's plan for one signature. `shape` is what it shares with signatures that say other instructions."""

    __slots__ = ("_kept", "shape", "signature", "system")

    def __init__(self, signature: Any, shape: Shape) -> None:
        self.signature = signature
        self.shape = shape
        self.system: str | None = None
        """The system message, once it was made."""
        self._kept: dict[str, Any] = {}

    def once(self, name: str, make: Callable[[], T]) -> T:
        """`make()`, made at the first call."""
        kept = self._kept.get(name)
        if kept is None:
            kept = self._kept[name] = make()
        return kept

    @property
    def without_history(self) -> Any:
        """The signature that history's turns and the current question are rendered with."""
        history = self.shape.history
        return (
            self.once("without_history", lambda: self.signature.delete(history))
            if history
            else self.signature
        )


class Shape:
    """What follows from a signature's fields alone."""

    __slots__ = (
        "__weakref__",
        "answered",
        "coercers",
        "contents",
        "demos",
        "fallbacks",
        "fields",
        "history",
        "inputs",
        "kept",
        "names",
        "outputs",
        "speaks_natively",
    )

    def __init__(self, signature: Any) -> None:
        self.fields: Mapping[str, Field] = signature.__dspx_fields__
        self.inputs: Mapping[str, Field] = signature.input_fields
        self.outputs: Mapping[str, Field] = signature.output_fields
        self.names: tuple[str, ...] = tuple(self.fields)
        self.answered: tuple[str, ...] = tuple(self.outputs)
        self.history: str | None = next(
            (
                name
                for name, field in self.inputs.items()
                if is_content(field.annotation, "history", "History")
            ),
            None,
        )
        self.coercers: dict[str, Coercer] = {name: coercer(field) for name, field in self.outputs.items()}
        self.fallbacks: dict[str, Callable[[], Any]] = {
            name: field.get_default
            for name, field in self.outputs.items()
            if field.has_default or allows_none(field.annotation)
        }
        """What an output is that the answer leaves out, for those that may be left out."""
        self.contents: tuple[tuple[str, Any], ...] = tuple(
            (name, field.annotation) for name, field in self.outputs.items() if _is_content(field.annotation)
        )
        """The outputs that are content types: models may provide these natively."""
        self.speaks_natively = bool(self.contents) or native_tools.fields_of(signature) is not None
        """Whether a model may get or give anything of this beside its text."""
        self.demos = DemoMemo(self)
        self.kept: dict[str, Any] = {}
        """What `once` made, by name."""

    def once(self, name: str, make: Callable[[], T]) -> T:
        """`make()`, made at the first call."""
        kept = self.kept.get(name)
        if kept is None:
            kept = self.kept[name] = make()
        return kept

    def renderers(self, fields: Iterable[str], opening: Callable[[str], str]) -> tuple[Section, ...]:
        """For each of these fields: its name, the text that opens its section, and how its values are written."""
        return tuple((name, opening(name), renderer(self.fields[name])) for name in fields)

    def completed(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs in the signature's order, those that may be left out filled in; others stay missing."""
        values: dict[str, Any] = {}
        for name in self.outputs:
            if name in found:
                values[name] = found[name]
            elif name in self.fallbacks:
                values[name] = self.fallbacks[name]()
        return values

    @property
    def required(self) -> tuple[str, ...]:
        """The outputs that every answer must have."""
        return self.once(
            "required", lambda: tuple(name for name in self.outputs if name not in self.fallbacks)
        )


Section = tuple[str, str, Renderer]


def _is_content(annotation: Any) -> bool:
    return isinstance(annotation, type) and annotation in content_types(annotation)


_shapes: weakref.WeakValueDictionary[tuple[Any, int], Shape] = weakref.WeakValueDictionary()


def _shape_for(signature: Any, layout: Any) -> Shape:
    """The shape, shared by all signatures with these very fields: an optimizer tries many instructions for one."""
    key = (layout, signature.shape)
    shape = _shapes.get(key)
    if shape is None or shape.fields is not signature.__dspx_fields__:
        shape = _shapes[key] = Shape(signature)
    return shape


# ---------------------------------------------------------------- demos


@dataclass(frozen=True, slots=True)
class RenderedDemo:
    """A demo's two messages. `place`: 0 for a demo with gaps, which goes first; 1 for a whole one; None for neither."""

    demo: Any
    stamps: tuple[tuple[str, Any], ...]
    place: int | None
    user: Any
    assistant: Any

    def still_shows(self, demo: Any) -> bool:
        """Whether the demo's values are the ones that were rendered."""
        values: Any = demo._store if isinstance(demo, Example) else demo
        for name, stamp in self.stamps:
            value = values.get(name, MISSING)
            if value is not stamp and not _matches(value, stamp):
                return False
        return True

    def messages(self) -> list[dict[str, Any]]:
        user = self.user if type(self.user) is str else copy.deepcopy(self.user)
        return [{"role": "user", "content": user}, {"role": "assistant", "content": self.assistant}]


class DemoMemo:
    """The demos rendered lately, each remembered for as long as its values stay what they were."""

    __slots__ = ("_entries", "_fields", "_lock")

    def __init__(self, shape: Shape) -> None:
        self._fields = shape.names
        self._entries: dict[int, RenderedDemo] = {}
        self._lock = Lock()

    def messages(self, demos: Sequence[Any], render: Callable[[Any], Rendering]) -> list[dict[str, Any]]:
        """The messages of all demos; `render` makes those that are not remembered."""
        entries = self._entries
        with_gaps: list[dict[str, Any]] = []
        whole: list[dict[str, Any]] = []
        for demo in demos:
            entry = entries.get(id(demo))
            if entry is None or not entry.still_shows(demo):
                entry = self._rendered(demo, render)
            if entry.place == 1:
                whole += entry.messages()
            elif entry.place == 0:
                with_gaps += entry.messages()
        return with_gaps + whole

    def _rendered(self, demo: Any, render: Callable[[Any], Rendering]) -> RenderedDemo:
        stamps = _stamps(demo, self._fields)
        entry = RenderedDemo(demo, stamps or (), *render(demo))
        if stamps is not None:
            with self._lock:
                if len(self._entries) >= _MOST_DEMOS and id(demo) not in self._entries:
                    del self._entries[next(iter(self._entries))]
                self._entries[id(demo)] = entry
        return entry


Rendering = tuple["int | None", Any, Any]
"""A demo's place, and the contents of its two messages."""

_MOST_DEMOS = 1024
_ATOMS = frozenset({str, int, float, bool, type(None), type(MISSING)})
_PLAIN = frozenset({list, dict, tuple})


def _stamps(demo: Any, names: Sequence[str]) -> tuple[tuple[str, Any], ...] | None:
    """What the demo's values are compared with later; None where a value cannot be compared."""
    try:
        return tuple((name, _stamp(demo.get(name, MISSING))) for name in names)
    except Exception:  # noqa: BLE001 - a value of somebody's own type that can be neither copied nor written as JSON
        return None


def _stamp(value: Any) -> Any:
    """A value that does not change is its own stamp; plain containers are known by their JSON, others by a copy."""
    kind = type(value)
    if kind in _ATOMS:
        return value
    return _Print(kind, _fingerprint(value)) if kind in _PLAIN else copy.deepcopy(value)


def _matches(value: Any, stamp: Any) -> bool:
    kind = type(value)
    try:
        if type(stamp) is _Print:
            return stamp.kind is kind and stamp.text == _fingerprint(value)
        return kind is type(stamp) and bool(value == stamp)
    except Exception:  # noqa: BLE001 - a user's own `__eq__`, or a value that has no JSON any more
        return False


@dataclass(frozen=True, slots=True)
class _Print:
    kind: type
    text: bytes


def _fingerprint(value: Any) -> bytes:
    """JSON tells 1 from True and from 1.0, which `==` does not."""
    import orjson

    return orjson.dumps(value, default=jsonable, option=orjson.OPT_NON_STR_KEYS)
