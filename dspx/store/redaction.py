"""What must not be kept, taken out of an execution before it is written."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any, TypeAlias

from dspx.store.jsontext import plain
from dspx.store.records import Execution

Redact: TypeAlias = Callable[[str, Any], Any] | Collection[str]
"""Names of fields, or a function of a field's name and value that gives what to keep instead."""

GONE = "[redacted]"
_SHORTEST_SECRET = 4  # shorter texts occur everywhere
_PARTS = ("inputs", "outputs", "trace", "error", "configuration")


def redacted(execution: Execution, rule: Redact) -> Execution:
    """`execution` without what `rule` says, wherever it occurs by name; and, as text, anywhere else.

    A rule that raises keeps nothing of the value it was asked about.
    """
    replacing = rule if callable(rule) else _by_name(rule)
    secrets: set[str] = set()
    parts = {name: plain(getattr(execution, name), f"Execution.{name}") for name in _PARTS}
    kept = {name: _without(value, replacing, secrets) for name, value in parts.items()}
    ordered = sorted(secrets, key=len, reverse=True)
    return replace(execution, **{name: _scrubbed(value, ordered) for name, value in kept.items()})


def _by_name(names: Collection[str]) -> Callable[[str, Any], Any]:
    names = {names} if isinstance(names, str) else set(names)
    return lambda name, value: GONE if name in names else value


def _without(value: Any, replacing: Callable[[str, Any], Any], secrets: set[str]) -> Any:
    """`value` with each named value replaced; the texts that went are added to `secrets`."""
    if isinstance(value, list):
        return [_without(item, replacing, secrets) for item in value]
    if not isinstance(value, dict):
        return value
    kept: dict[str, Any] = {}
    for name, item in value.items():
        instead = _replacement(replacing, name, item)
        if instead == item:
            kept[name] = _without(item, replacing, secrets)
        else:
            kept[name] = instead
            secrets.update(_texts(item))
    return kept


def _replacement(replacing: Callable[[str, Any], Any], name: str, value: Any) -> Any:
    try:
        return plain(replacing(name, value))
    except Exception:  # noqa: BLE001  the user's code; keeping what it may have meant to hide would be worse
        return GONE


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if len(value) >= _SHORTEST_SECRET else []
    if isinstance(value, dict):
        value = list(value.values())
    return [text for item in value for text in _texts(item)] if isinstance(value, list) else []


def _scrubbed(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, GONE)
        return value
    if isinstance(value, list):
        return [_scrubbed(item, secrets) for item in value]
    if isinstance(value, dict):
        return {name: _scrubbed(item, secrets) for name, item in value.items()}
    return value
