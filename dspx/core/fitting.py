"""Does a saved state fit a program? Every difference, each explained; and the part that fits."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dspx.core.fields import infer_prefix
from dspx.core.schema import schema_of

Fields = Sequence[Mapping[str, Any]]
"""Fields as a signature's state has them: `{"name", "prefix", "description", "role", "type"}`, in DSPy's two of these."""


@dataclass(frozen=True)
class Difference:
    """One thing in which a saved state and a program differ. `missing` says that a leaf has no state at all."""

    leaf: str
    explanation: str
    missing: bool = False

    def __str__(self) -> str:
        return f"{self.leaf}: {self.explanation}"


@dataclass(frozen=True)
class FittedFields:
    """Saved fields by the program's own names, and what does not fit. `assumed` was matched by position alone."""

    by_name: Mapping[str, Mapping[str, Any]]
    problems: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()


def fit_leaves(saved: Mapping[str, Any], own: Mapping[str, Any]) -> list[Difference]:
    """How the leaves of two states differ, whatever is in them."""
    gone = [name for name in saved if name not in own]
    new = [name for name in own if name not in saved]
    differences = [
        Difference(
            name, f"nothing is saved for it{_renamed(name, own, gone, saved, 'saved is')}", missing=True
        )
        for name in new
    ]
    return differences + [
        Difference(
            name, f"saved, but this program has no such leaf{_renamed(name, saved, new, own, 'it has')}"
        )
        for name in gone
    ]


def fit_fields(saved: Fields, own: Fields) -> FittedFields:
    """Which saved field belongs to which of the program's: by name, never by position where that is in doubt."""
    named, assumed = _named(saved, own)
    mine = {field["name"]: field for field in own}
    gone = [name for name in named if name not in mine]
    new = [name for name in mine if name not in named]
    problems = [f"the field `{name}` is gone{_closest(name, new)}" for name in gone]
    problems += [f"the field `{name}` is new, and nothing is saved for it" for name in new]
    kept = {name: named[name] for name in mine if name in named}
    problems += [problem for name in kept for problem in _changes(name, kept[name], mine[name])]
    return FittedFields(kept, tuple(problems), tuple(assumed))


def fitted_state(saved: Mapping[str, Any], own: Mapping[str, Any]) -> tuple[dict[str, Any], FittedFields]:
    """A leaf's saved state with the program's own fields, each as it was saved where it was; and what differs."""
    mine = (own.get("signature") or {}).get("fields")
    signature = saved.get("signature")
    if mine is None or not isinstance(signature, Mapping):
        return dict(saved), FittedFields({})
    fit = fit_fields(signature.get("fields", ()), mine)
    fields = [{**field, **_said(fit.by_name.get(field["name"], {}))} for field in mine]
    return {**saved, "signature": {**signature, "fields": fields}}, fit


def _said(field: Mapping[str, Any]) -> dict[str, Any]:
    return {name: field[name] for name in ("prefix", "description") if name in field}


# ---------------------------------------------------------------- names for fields that DSPy saved without


def _named(saved: Fields, own: Fields) -> tuple[dict[str, Mapping[str, Any]], list[str]]:
    """Saved fields by name, and those whose name is only assumed from their place.

    DSPy saves no names. A description that nobody wrote is `${name}`; a prefix that nobody wrote follows from it.
    """
    names = [field.get("name") or _told(field, own) for field in saved]
    assumed: list[str] = []
    for place, name in enumerate(names):
        if name is None:
            here = own[place]["name"] if place < len(own) and len(saved) == len(own) else None
            if here is not None and here not in names:
                names[place] = here
                assumed.append(f"{saved[place].get('prefix')!r} was taken for `{here}`, by its place")
            else:
                names[place] = str(saved[place].get("prefix", "")).rstrip(":") or f"field {place + 1}"
    return {str(name): field for name, field in zip(names, saved, strict=True)}, assumed


def _told(field: Mapping[str, Any], own: Fields) -> str | None:
    description = str(field.get("description", ""))
    if description.startswith("${") and description.endswith("}"):
        return description[2:-1]
    prefix = field.get("prefix")
    owners = [f["name"] for f in own if prefix in (f.get("prefix"), infer_prefix(f["name"]) + ":")]
    return owners[0] if len(owners) == 1 else None


# ---------------------------------------------------------------- explaining


def _changes(name: str, saved: Mapping[str, Any], own: Mapping[str, Any]) -> list[str]:
    changes: list[str] = []
    for aspect, article in (("role", "an "), ("type", "")):
        was, now = saved.get(aspect), own.get(aspect)
        if was is not None and now is not None and was != now:
            changes.append(f"the field `{name}` was {article}{was} and is now {article}{now}")
    was_shaped, now_shaped = saved.get("shapes") or {}, own.get("shapes") or {}
    if not changes and "type" in saved:
        changes += [
            f"the field `{name}` holds {kind}, which {_shape_change(was_shaped[kind], now_shaped[kind])}"
            for kind in was_shaped
            if kind in now_shaped and was_shaped[kind] != now_shaped[kind]
        ]
    return changes


def _shape_change(was: Any, now: Any) -> str:
    if not isinstance(was, Mapping) or not isinstance(now, Mapping):
        return f"was {was} and is now {now}"
    parts = [f"has lost `{name}`" for name in was if name not in now]
    parts += [f"has got `{name}`" for name in now if name not in was]
    parts += [
        f"has `{name}` as {now[name]}, not {was[name]}"
        for name in was
        if name in now and was[name] != now[name]
    ]
    return ", ".join(parts)


def _renamed(
    name: str,
    mine: Mapping[str, Any],
    candidates: Sequence[str],
    others: Mapping[str, Any],
    introduction: str,
) -> str:
    """What it may be called on the other side: the leaf of the same fields, else one of a similar name."""
    schema = schema_of(mine[name]) if isinstance(mine[name], Mapping) else None
    same = [
        other
        for other in candidates
        if schema is not None
        and isinstance(others[other], Mapping)
        and (schema_of(others[other]) or {}).get("fingerprint") == schema["fingerprint"]
    ]
    if len(same) == 1:
        return f"; {introduction} {same[0]!r}, of the same fields: was it renamed?"
    return _closest(name, candidates, introduction)


def _closest(name: str, candidates: Iterable[str], introduction: str = "new is") -> str:
    close = difflib.get_close_matches(name, list(candidates), n=1, cutoff=0.5)
    return f"; {introduction} {close[0]!r}: was it renamed?" if close else ""
