"""Places in a program that variables are bound to: parts of leaves, sub-modules, and plain attributes.

    answer.instructions  answer.demos       a leaf's texts and examples (`answer.signature.instructions` too)
    *.lm.temperature  answer.config.n       a setting of its LM calls; `*` stands for any leaf
    answer.lm  *.adapter                    its LM, its adapter
    answer                                  a sub-module, to be rebuilt
    retriever.k  sources['web'].limit       what the program's modules hold, at any depth

A module's name stands for the leaves inside it: `answer.lm.temperature`, where `answer` is a ChainOfThought.
"""

from __future__ import annotations

import copy
import dataclasses
import re
from dataclasses import dataclass, field
from typing import Any

from dspx.core import tree
from dspx.core.candidate import LeafValues
from dspx.core.module import Module, Parameter
from dspx.errors import ConfigurationError

ROOT = "self"
"""What a program is called as its own part."""


@dataclass(slots=True)
class Plan:
    """What values put where: parts by leaf name, options by the path of a sub-module, other things by path."""

    leaves: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    swaps: dict[str, Any] = field(default_factory=dict[str, Any])
    knobs: dict[str, Any] = field(default_factory=dict[str, Any])

    def of_leaf(self, name: str) -> LeafValues:
        return LeafValues(**self.leaves.get(name, {}))


@dataclass(frozen=True, slots=True)
class LeafPart:
    """A part of one leaf; of its settings, one (`setting`)."""

    leaf: str
    part: str
    setting: str | None = None

    def put(self, plan: Plan, value: Any) -> None:
        parts = plan.leaves.setdefault(self.leaf, {})
        if self.setting is not None:
            parts["config"] = {**parts.get("config", {}), self.setting: value}
        elif self.part == "config":
            parts["config"] = {**parts.get("config", {}), **value}
        else:
            parts[self.part] = value


@dataclass(frozen=True, slots=True)
class SubModule:
    """A sub-module as a whole."""

    path: str

    def put(self, plan: Plan, value: Any) -> None:
        plan.swaps[self.path] = value


@dataclass(frozen=True, slots=True)
class Knob:
    """What a module of the program holds: an attribute, or something inside one."""

    path: str

    def put(self, plan: Plan, value: Any) -> None:
        plan.knobs[self.path] = value


Place = LeafPart | SubModule | Knob


def places(program: Any, path: str, *, modules: bool) -> list[Place]:
    """What `path` points to. `modules` says that sub-modules are wanted. `ConfigurationError` for an unknown path."""
    if modules:
        return list(_sub_modules(program, path))
    found = _leaf_parts(program, path)
    # Parts of tools (`agent.tools['search'].desc`) are to be looked for here, before plain attributes.
    return found or [_knob(program, path)]


def owner_of(program: Any, path: str) -> tuple[str, list[Any]]:
    """Of a knob: the path of the innermost module that holds it, and the steps from there."""
    steps = tree.steps_of(path)
    part, deepest, owner = program, 0, program
    for place, step in enumerate(steps[:-1], 1):
        part = _inside(part, step)
        if isinstance(part, Module):
            deepest, owner = place, part
    if isinstance(owner, Parameter):
        raise ConfigurationError(
            f"{path!r} is inside a leaf, of which instructions, demos, lm, adapter and config can be bound."
        )
    return _path(steps[:deepest]) or ROOT, steps[deepest:]


def module_at(program: Any, path: str) -> Any:
    """The module of that name, `self` for the program; None where there is none."""
    if path == ROOT:
        return program
    try:
        found = tree.get_part(program, path)
    except (AttributeError, LookupError, TypeError, ValueError):
        return None
    return found if isinstance(found, Module) else None


def with_value(owner: Any, steps: list[Any], value: Any) -> Any:
    """A copy of `owner` in which one thing is another; what lies on the way is copied, all else is shared."""
    step, *rest = steps
    inner = with_value(_inside(owner, step), rest, value) if rest else value
    return _changed(owner, step, inner) or _put(_shallow(owner), step, inner)


def put_value(owner: Any, steps: list[Any], value: Any) -> Any:
    """`owner` with one thing changed in place; a tuple or a frozen dataclass on the way gives way to another."""
    step, *rest = steps
    inner = put_value(_inside(owner, step), rest, value) if rest else value
    return _changed(owner, step, inner) or _put(owner, step, inner)


# ---------------------------------------------------------------- inside


_PART = re.compile(
    r"(?P<where>.+?)\.(?:(?P<whole>(?:signature\.)?instructions|demos|adapter|lm|config)|(?:lm|config)\.(?P<setting>\w+))"
)
_OF_AN_LM = frozenset({"model", "model_type", "kwargs", "callbacks", "history", "num_retries"})
_ONE_LEAF = frozenset({"instructions", "demos"})


def _leaf_parts(program: Any, path: str) -> list[Place]:
    match = _PART.fullmatch(path)
    if match is None:
        return []
    names = _leaves(program, match["where"])
    setting = match["setting"]
    if setting is not None:
        if names and setting in _OF_AN_LM and f".lm.{setting}" in path:
            raise ConfigurationError(
                f"{path!r} is no setting of a call. Bind a Choice of LMs to {match['where']!r}.lm."
            )
        return [LeafPart(name, "config", setting) for name in names]
    part = match["whole"].removeprefix("signature.")
    if part in _ONE_LEAF and len(names) > 1 and "*" not in path:
        raise ConfigurationError(
            f"{match['where']!r} has several leaves, {names}: say whose {part} are meant."
        )
    return [LeafPart(name, part) for name in names]


def _leaves(program: Any, where: str) -> list[str]:
    """The leaves that a name or a pattern stands for."""
    names = [name for name, _ in program.named_predictors()]
    if where in names:
        return [where]
    if "*" in where:
        pattern = re.compile(re.escape(where).replace(r"\*", ".*"))
        return [name for name in names if pattern.fullmatch(name)]
    inside = module_at(program, where)
    if inside is None:
        return []
    within = {id(leaf) for leaf in inside.predictors()}
    return [name for name, leaf in program.named_predictors() if id(leaf) in within]


def _sub_modules(program: Any, path: str) -> list[SubModule]:
    if "*" in path:
        found = [SubModule(name) for name in _leaves(program, path)]
    else:
        found = [SubModule(path)] if module_at(program, path) is not None else []
    if not found:
        names = [name for name, _ in program.named_sub_modules()]
        raise ConfigurationError(f"{path!r} is no sub-module of {_name(program)}, which has {names}.")
    return found


def _knob(program: Any, path: str) -> Knob:
    try:
        owner_of(program, path)
        value = tree.get_part(program, path)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(_unknown(program, path)) from error
    if isinstance(value, Module):
        raise ConfigurationError(f"{path!r} is a module; choose its class with Choice.of_modules.")
    return Knob(path)


def _unknown(program: Any, path: str) -> str:
    leaves = [name for name, _ in program.named_predictors()]
    return (
        f"{_name(program)} has no {path!r}. Its leaves are {leaves}; each has .instructions, .demos, .lm, .adapter, "
        ".config.<setting> and .lm.<setting>, and '*' stands for all. Other paths name what its modules hold."
    )


def _inside(owner: Any, step: Any) -> Any:
    return getattr(owner, step[0]) if isinstance(step, tuple) else owner[step]


def _put(owner: Any, step: Any, value: Any) -> Any:
    if isinstance(step, tuple):
        setattr(owner, step[0], value)
    else:
        owner[step] = value
    return owner


def _changed(owner: Any, step: Any, value: Any) -> Any:
    """Another tuple, or another frozen dataclass; None for what can be changed itself."""
    if isinstance(owner, tuple) and not isinstance(step, tuple):
        place = step % len(owner)
        return (*owner[:place], value, *owner[place + 1 :])
    if _is_frozen(owner):
        frozen: Any = owner
        return dataclasses.replace(frozen, **{step[0]: value})
    return None


def _is_frozen(owner: Any) -> bool:
    parameters = getattr(owner, "__dataclass_params__", None)
    return parameters is not None and parameters.frozen


def _path(steps: list[Any]) -> str:
    parts = [f".{step[0]}" if isinstance(step, tuple) else f"[{step!r}]" for step in steps]
    return "".join(parts).removeprefix(".")


def _shallow(owner: Any) -> Any:
    if not isinstance(owner, Module):
        return copy.copy(owner)
    new = type(owner).__new__(type(owner))
    vars(new).update(vars(owner))  # its history and callbacks too: the calls are the original's
    return new


def _name(program: Any) -> str:
    return type(program).__name__
