"""In what two saved programs differ, leaf by leaf: data for whoever shows it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dspx.core.canonical import canonical_json
from dspx.core.state import SavedState

Change = tuple[Any, Any]
"""What was and what is; None where there is nothing."""


@dataclass(frozen=True)
class DemosDiff:
    """Demos that came, went, or answer the same question otherwise; and whether only their order changed."""

    added: Sequence[Any] = ()
    removed: Sequence[Any] = ()
    changed: Sequence[Change] = ()
    reordered: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.reordered)


@dataclass(frozen=True)
class LeafDiff:
    """What differs in one leaf. `instructions` are the lines of a unified diff; `other` what else a state holds."""

    instructions: Sequence[str] = ()
    demos: DemosDiff = field(default_factory=DemosDiff)
    fields: Mapping[str, Change] = field(default_factory=dict[str, Change])
    lm: Mapping[str, Change] = field(default_factory=dict[str, Change])
    other: Mapping[str, Change] = field(default_factory=dict[str, Change])

    def __bool__(self) -> bool:
        return bool(self.instructions or self.demos or self.fields or self.lm or self.other)


@dataclass(frozen=True)
class StateDiff:
    """What differs between two saved programs: only leaves that do are in `leaves`."""

    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    leaves: Mapping[str, LeafDiff] = field(default_factory=dict[str, LeafDiff])
    provenance: Mapping[str, Change] = field(default_factory=dict[str, Change])

    @property
    def same_program(self) -> bool:
        """Whether the two do the same, wherever they came from."""
        return not (self.added or self.removed or self.leaves)

    def __bool__(self) -> bool:
        return bool(self.provenance) or not self.same_program


def diff_states(a: SavedState, b: SavedState) -> StateDiff:
    """`b` against `a`. Versions and times of writing do not count."""
    leaves = {name: diff_leaves(a.leaves[name], b.leaves[name]) for name in a.leaves if name in b.leaves}
    return StateDiff(
        added=[name for name in b.leaves if name not in a.leaves],
        removed=[name for name in a.leaves if name not in b.leaves],
        leaves={name: found for name, found in leaves.items() if found},
        provenance=_changes(_flat(a.provenance or {}), _flat(b.provenance or {})),
    )


def diff_leaves(a: Mapping[str, Any], b: Mapping[str, Any]) -> LeafDiff:
    """One leaf's state against another's."""
    before, after = a.get("signature") or {}, b.get("signature") or {}
    known = ("signature", "demos", "lm")
    return LeafDiff(
        instructions=_unified(str(before.get("instructions", "")), str(after.get("instructions", ""))),
        demos=_demos(a.get("demos") or [], b.get("demos") or [], _inputs(before) or _inputs(after)),
        fields=_changes(_fields(before, after), _fields(after, before)),
        lm=_changes(_settings(a.get("lm")), _settings(b.get("lm"))),
        other=_changes(
            {k: v for k, v in a.items() if k not in known}, {k: v for k, v in b.items() if k not in known}
        ),
    )


def _unified(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2)
    return list(lines)[2:]  # without the names of files


def _demos(before: Sequence[Any], after: Sequence[Any], inputs: Sequence[str]) -> DemosDiff:
    gone, come = _without(before, after), _without(after, before)
    changed: list[Change] = []
    for demo in list(gone):
        match = next((other for other in come if inputs and _same_question(demo, other, inputs)), None)
        if match is not None:
            changed.append((demo, match))
            gone.remove(demo)
            come.remove(match)
    same_set = not gone and not come and not changed
    return DemosDiff(come, gone, changed, reordered=same_set and _keys(before) != _keys(after))


def _without(demos: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    """Those of `demos` that are not among `others`, a demo that is there twice counting twice."""
    left = _keys(others)
    kept: list[Any] = []
    for demo, key in zip(demos, _keys(demos), strict=True):
        if key in left:
            left.remove(key)
        else:
            kept.append(demo)
    return kept


def _keys(demos: Sequence[Any]) -> list[bytes]:
    return [canonical_json(demo) for demo in demos]


def _same_question(a: Any, b: Any, inputs: Sequence[str]) -> bool:
    if not isinstance(a, Mapping) or not isinstance(b, Mapping):
        return False
    return any(name in a for name in inputs) and all(a.get(name) == b.get(name) for name in inputs)


def _inputs(signature: Mapping[str, Any]) -> list[str]:
    return [entry["name"] for entry in signature.get("fields") or () if entry.get("role") == "input"]


def _fields(signature: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Facts by field. What only one of the two formats writes (a name, a type) is no difference."""
    mine, theirs = signature.get("fields") or [], other.get("fields") or []
    known = {name for entry in theirs for name in entry} or {name for entry in mine for name in entry}
    by_name = all("name" in entry for entry in [*mine, *theirs])
    return {
        f"{entry['name'] if by_name else str(entry.get('prefix', place)).rstrip(':')}.{fact}": value
        for place, entry in enumerate(mine)
        for fact, value in entry.items()
        if fact != "name" and (fact in known or fact == "shapes")
    }


def _settings(lm: Any) -> dict[str, Any]:
    """Those that say something."""
    return {name: value for name, value in (lm or {}).items() if value not in (None, {}, [])}


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Change]:
    names = [*before, *(name for name in after if name not in before)]
    return {
        name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    }
