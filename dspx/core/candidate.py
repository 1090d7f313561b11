"""Values for a program's variables: read from a program, bound for one rollout, or installed for good.

    candidate = program.candidate().with_instructions({"answer": "Answer in one word."})
    with candidate.using(program):
        program(question="…")           # this call only, in whatever thread or task it runs
    program.install(candidate)          # for good

Binding copies nothing and changes nothing: hundreds of candidates run at once on one program.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from dspx.core.calls import entrance, stepped
from dspx.core.example import Example
from dspx.errors import UsageError
from dspx.runtime.scope import Scoped

INSTRUCTIONS = ".instructions"
DEMOS = ".demos"


@dataclass(frozen=True, slots=True)
class LeafValues:
    """What one leaf uses instead of its own; None keeps its own. `config` is laid over its own.

    Modules that are no leaves may have a `replacement`, too: another module that answers in place of this one. Or a
    `variant`: this module with other attributes.
    """

    instructions: str | None = None
    demos: Sequence[Any] | None = None
    lm: Any = None
    adapter: Any = None
    config: Mapping[str, Any] | None = None
    replacement: Any = None
    variant: Any = None


@dataclass(frozen=True, slots=True)
class ToolValues:
    """What one tool says of itself instead of its own words; None keeps its own. `arg_desc` is laid over its own."""

    desc: str | None = None
    arg_desc: Mapping[str, str] | None = None


Bindings = Mapping[int, Any]
"""By `id(leaf)` or `id(module)`: `LeafValues`; by `id(tool)`: `ToolValues`."""

bound: Scoped[Bindings | None] = Scoped("dspx_bound_values", None)
"""`with bound.using({id(program.answer): LeafValues(instructions="…")}): program(…)`."""


def in_place_of(
    values: Bindings, module: Any, callers: Sequence[Any]
) -> Callable[..., Awaitable[Any]] | None:
    """What to await where `module` is called; None for the module itself, as where its replacement calls it."""
    mine = values.get(id(module))
    if mine is None:
        return None
    if mine.variant is not None:
        return stepped(mine.variant)  # what a subclass overrides of the call has run already
    other = mine.replacement
    return None if other is None or any(caller is other for caller in callers) else entrance(other)


def leaves_in_force(program: Any) -> list[tuple[str, Any]]:
    """The program's leaves by name, and those of the modules that are bound in place of others, nameless."""
    leaves: list[tuple[str, Any]] = program.named_predictors()
    values = (bound.get() or {}).values()
    others = [
        one.replacement for one in values if isinstance(one, LeafValues) and one.replacement is not None
    ]
    if not others:
        return leaves
    seen = {id(leaf) for _, leaf in leaves}
    extra = {id(leaf): leaf for other in others for leaf in other.predictors() if id(leaf) not in seen}
    return [*leaves, *(("", leaf) for leaf in extra.values())]


class Candidate:
    """One value per variable, by name; a variable that is not named stays as the program has it.

    Every leaf has `"<leaf>.instructions"` (text) and `"<leaf>.demos"` (examples); a space adds others.
    Candidates are values: edits return new ones, equal content is equal and has an equal `hash`.

    Args:
        space: the `dspx.Space` that knows the other variables, as `space.candidate(values)` gives it.
    """

    def __init__(self, values: Mapping[str, Any] | None = None, space: Any = None) -> None:
        self.space = space
        self.values: Mapping[str, Any] = {
            name: tuple(value) if name.endswith(DEMOS) else value for name, value in (values or {}).items()
        }

    # ------------------------------------------------------------ reading

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self.values.get(name, default)

    def instructions(self) -> dict[str, str]:
        """Instructions by leaf."""
        return {
            name.removesuffix(INSTRUCTIONS): value
            for name, value in self.values.items()
            if name.endswith(INSTRUCTIONS)
        }

    def demos(self) -> dict[str, tuple[Any, ...]]:
        """Demos by leaf."""
        return {
            name.removesuffix(DEMOS): value for name, value in self.values.items() if name.endswith(DEMOS)
        }

    @cached_property
    def hash(self) -> str:
        """The sha256 of the candidate's JSON: the same in every process."""
        from dspx.core.canonical import stable_hash

        return stable_hash(self.to_json())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Candidate) and (self.values is other.values or self.hash == other.hash)

    def __hash__(self) -> int:
        return hash(self.hash)

    def __repr__(self) -> str:
        return f"Candidate({', '.join(self.values)}; {self.hash[:8]})"

    # ------------------------------------------------------------ edits

    def with_values(self, values: Mapping[str, Any]) -> Candidate:
        """A candidate in which these variables have these values."""
        return Candidate({**self.values, **values}, self.space)

    def with_instructions(self, instructions: Mapping[str, str]) -> Candidate:
        """A candidate in which these leaves have these instructions."""
        return self.with_values({leaf + INSTRUCTIONS: text for leaf, text in instructions.items()})

    def with_demos(self, demos: Mapping[str, Iterable[Any]]) -> Candidate:
        """A candidate in which these leaves have these demos."""
        return self.with_values({leaf + DEMOS: tuple(given) for leaf, given in demos.items()})

    def diff(self, other: Candidate) -> dict[str, tuple[Any, Any]]:
        """The variables that differ, each with its value here and its value in `other`."""
        names = [*self.values, *(name for name in other.values if name not in self.values)]
        pairs = {name: (self.get(name), other.get(name)) for name in names}
        return {name: pair for name, pair in pairs.items() if not _same(*pair)}

    # ------------------------------------------------------------ as data

    def to_json(self) -> dict[str, Any]:
        """The values as JSON data."""
        return {name: _dump(value) for name, value in self.values.items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Candidate:
        """The candidate that `to_json` gave."""
        return cls(
            {
                name: tuple(Example(demo) for demo in value) if name.endswith(DEMOS) else value
                for name, value in data.items()
            }
        )

    # ------------------------------------------------------------ on a program

    def bindings(self, program: Any) -> Bindings:
        """What to bind for a rollout of `program`. `UsageError` for a leaf or a variable that it has not."""
        if self.space is not None:
            return self.space.on(program).bindings(self)
        leaves = dict(program.named_predictors())
        values: dict[int, LeafValues] = {}
        for name, value in self.values.items():
            leaf, part = _split(name, leaves)
            before = values.get(id(leaf), LeafValues())
            values[id(leaf)] = replace(before, **{part: _unless_own(leaf, part, value)})
        return values

    @contextmanager
    def using(self, program: Any) -> Generator[None]:
        """Bind the values for a block, over what is bound already."""
        with bound.using({**(bound.get() or {}), **self.bindings(program)}):
            yield

    def install(self, program: Any) -> None:
        """Write the values into the program. Everything is looked up before anything is changed."""
        if self.space is not None:
            self.space.install(program, self)
            return
        leaves = dict(program.named_predictors())
        for leaf, part, value in [(*_split(name, leaves), value) for name, value in self.values.items()]:
            install_leaf(leaf, LeafValues(**{part: value}))


def install_leaf(leaf: Any, values: LeafValues) -> None:
    """Write values into a leaf for good."""
    if values.demos is not None:
        leaf.demos = list(values.demos)
    if values.instructions is not None and values.instructions != leaf.signature.instructions:
        leaf.signature = leaf.signature.with_instructions(values.instructions)
    if values.lm is not None:
        leaf.lm = values.lm
    if values.adapter is not None:
        leaf.adapter = values.adapter
    if values.config:
        leaf.config = {**leaf.config, **values.config}
        leaf.tuned = {**leaf.tuned, **values.config}


def candidate_of(program: Any) -> Candidate:
    """The instructions and demos that the program's leaves have now."""
    values: dict[str, Any] = {}
    for name, leaf in program.named_predictors():
        values[name + INSTRUCTIONS] = leaf.signature.instructions
        values[name + DEMOS] = tuple(leaf.demos)
    return Candidate(values)


def _split(name: str, leaves: Mapping[str, Any]) -> tuple[Any, str]:
    """The leaf that a variable belongs to, and which part of it the variable is."""
    leaf, _, part = name.rpartition(".")
    if part not in ("instructions", "demos") or leaf not in leaves:
        raise UsageError(
            f"This program has no variable {name!r}. Its leaves are {list(leaves)}; each has "
            "'<leaf>.instructions' and '<leaf>.demos'. Other variables belong to a dspx.Space."
        )
    return leaves[leaf], part


def _unless_own(leaf: Any, part: str, value: Any) -> Any:
    """None for instructions that the leaf has anyway: its signature is compiled already."""
    return None if part == "instructions" and value == leaf.signature.instructions else value


def _dump(value: Any) -> Any:
    from dspx.core.canonical import to_plain

    return to_plain(
        [demo.toDict() if hasattr(demo, "toDict") else demo for demo in value]
        if isinstance(value, tuple)
        else value
    )


def _same(a: Any, b: Any) -> bool:
    return a is b or _dump(a) == _dump(b)
