"""Saved programs, and what differs between two, for people to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dspx.cli.printing import print_facts, print_heading, print_text, short
from dspx.core.metadata import fingerprint_of
from dspx.core.state import SavedState
from dspx.core.state_diff import Change, DemosDiff, LeafDiff, StateDiff

_DEMOS_SHOWN = 3


def show_state(saved: SavedState, name: str, *, all_demos: bool = False) -> None:
    """Where it came from, then each leaf: what it takes and gives, instructions, demos, LM."""
    print_text(name, "bold")
    print_facts(_about(saved))
    if saved.provenance:
        print_heading("provenance")
        print_facts(dict(flattened(saved.provenance)))
    for path, leaf in saved.leaves.items():
        print_heading(path)
        _show_leaf(leaf if isinstance(leaf, Mapping) else {}, all_demos)


def show_diff(diff: StateDiff, a: str, b: str) -> None:
    """What differs, leaf by leaf."""
    if not diff:
        print_text("No difference.")
        return
    print_text(f"--- {a}", "red")
    print_text(f"+++ {b}", "green")
    for name in diff.removed:
        print_text(f"- leaf {name}", "red")
    for name in diff.added:
        print_text(f"+ leaf {name}", "green")
    for name, leaf in diff.leaves.items():
        print_heading(name)
        _show_leaf_diff(leaf)
    if diff.provenance:
        print_heading("provenance")
        _show_changes(diff.provenance)


def diff_as_json(diff: StateDiff) -> dict[str, Any]:
    """The same for programs."""
    return {
        "same": not diff,
        "same_program": diff.same_program,
        "added": list(diff.added),
        "removed": list(diff.removed),
        "leaves": {name: _leaf_as_json(leaf) for name, leaf in diff.leaves.items()},
        "provenance": _changes_as_json(diff.provenance),
    }


def state_as_json(saved: SavedState) -> dict[str, Any]:
    """The leaves, and what the file says about itself."""
    return {**saved.leaves, "metadata": saved.metadata}


def flattened(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    """Nested values by dotted names, without those that are None; lists in a line."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", value if isinstance(value, (int, float, str)) else short(value)


# ---------------------------------------------------------------- one program


def _about(saved: SavedState) -> dict[str, Any]:
    about = saved.metadata
    number = about.get("format")
    versions = about.get("dependency_versions") or {}
    written = about.get("fingerprint")
    now = fingerprint_of(saved.leaves)
    return {
        "format": number if number is not None else "DSPy's" if "dspy" in versions else None,
        "written by": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "created": about.get("created"),
        "fingerprint": now,
        "schema": (about.get("schema") or {}).get("fingerprint"),
        "note": "changed by hand since it was saved" if written not in (None, now) else None,
    }


def _show_leaf(leaf: Mapping[str, Any], all_demos: bool) -> None:
    signature = leaf.get("signature") or {}
    fields = signature.get("fields") or []
    demos = leaf.get("demos") or []
    print_facts(
        {
            "signature": _signature_text(fields),
            "fields": "\n".join(_described(fields)),
            "instructions": signature.get("instructions"),
            "lm": _lm_text(leaf.get("lm")),
            "tuned settings": short(leaf["config"]) if leaf.get("config") else None,
            "demos": len(demos),
        }
    )
    shown = demos if all_demos else demos[:_DEMOS_SHOWN]
    for demo in shown:
        print_text("  " + short(demo, 160), "dim")
    if len(demos) > len(shown):
        print_text(f"  … and {len(demos) - len(shown)} more (--demos shows all)", "dim")


def _signature_text(fields: Sequence[Mapping[str, Any]]) -> str | None:
    if not all("role" in field for field in fields):
        return ", ".join(str(field.get("prefix", "?")).rstrip(":") for field in fields) or None
    sides = [
        ", ".join(
            field["name"] + ("" if field["type"] == "str" else f": {field['type']}")
            for field in fields
            if field["role"] == role
        )
        for role in ("input", "output")
    ]
    return " -> ".join(sides)


def _described(fields: Sequence[Mapping[str, Any]]) -> list[str]:
    """Descriptions that somebody wrote."""
    return [
        f"{field.get('name') or str(field.get('prefix')).rstrip(':')}: {field['description']}"
        for field in fields
        if field.get("description") and not str(field["description"]).startswith("${")
    ]


def _lm_text(lm: Any) -> str | None:
    if not isinstance(lm, Mapping):
        return None
    settings = {k: v for k, v in lm.items() if k in ("temperature", "max_tokens", "n", "top_p", "seed")}
    said = ", ".join(f"{name} {value}" for name, value in settings.items() if value is not None)
    return f"{lm.get('model', '?')}" + (f" ({said})" if said else "")


# ---------------------------------------------------------------- a difference


def _show_leaf_diff(leaf: LeafDiff) -> None:
    if leaf.instructions:
        print_text("instructions", "bold")
        for line in leaf.instructions:
            print_text(line, {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], ""))
    if leaf.demos:
        print_text("demos", "bold")
        _show_demos(leaf.demos)
    for title, changes in (("fields", leaf.fields), ("lm", leaf.lm), ("other", leaf.other)):
        if changes:
            print_text(title, "bold")
            _show_changes(changes)


def _show_demos(demos: DemosDiff) -> None:
    for demo in demos.removed:
        print_text(f"- {short(demo, 160)}", "red")
    for demo in demos.added:
        print_text(f"+ {short(demo, 160)}", "green")
    for before, after in demos.changed:
        names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        print_text(f"~ {short({n: v for n, v in after.items() if n not in names}, 160)}")
        for name in names:
            print_text(f"  - {name}: {short(before.get(name), 140)}", "red")
            print_text(f"  + {name}: {short(after.get(name), 140)}", "green")
    if demos.reordered:
        print_text("~ the same demos, in another order")


def _show_changes(changes: Mapping[str, Change]) -> None:
    for name, (before, after) in changes.items():
        if before is not None:
            print_text(f"- {name}: {short(before, 140)}", "red")
        if after is not None:
            print_text(f"+ {name}: {short(after, 140)}", "green")


def _leaf_as_json(leaf: LeafDiff) -> dict[str, Any]:
    demos = leaf.demos
    return {
        "instructions": list(leaf.instructions),
        "demos": {
            "added": list(demos.added),
            "removed": list(demos.removed),
            "changed": [{"before": before, "after": after} for before, after in demos.changed],
            "reordered": demos.reordered,
        },
        "fields": _changes_as_json(leaf.fields),
        "lm": _changes_as_json(leaf.lm),
        "other": _changes_as_json(leaf.other),
    }


def _changes_as_json(changes: Mapping[str, Change]) -> dict[str, Any]:
    return {name: {"before": before, "after": after} for name, (before, after) in changes.items()}
