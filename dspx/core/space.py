"""A space: the variables of a program, what they are bound to, and which values go together.

space = dspx.Space(
    program,
    [dspx.Float("temperature", 0.0, 1.5, default=0.7).bind("*.lm.temperature"),
     dspx.Choice.of_modules("strategy", [dspx.Predict, dspx.ChainOfThought]).bind("answer")],
    constraints=[lambda c: c["temperature"] <= 1 or c["strategy"] == "Predict"],
)
with space.using({"temperature": 0.2}):
    program(question="…")                      # this call only, in whatever thread or task it runs
configured = space.apply(program, {"strategy": "ChainOfThought"})      # a copy, for good
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from random import Random
from typing import Any

from dspx.core import tree
from dspx.core.candidate import Bindings, Candidate, LeafValues, bound, candidate_of, install_leaf
from dspx.core.halton import halton, primes
from dspx.core.places import ROOT, Place, Plan, module_at, owner_of, places, put_value, with_value
from dspx.core.swap import Swap, swap_at
from dspx.core.variable import Choice, Demos, Derived, Text, Variable
from dspx.errors import ConfigurationError, UnsatisfiableSpace, UsageError

Values = Mapping[str, Any] | Candidate
Constraint = Callable[[Mapping[str, Any]], Any]


class Space:
    """The instructions and demos of every leaf of `program`, and further variables.

    What a variable of yours is bound to goes over what the leaf's own variables say. Values are given by name; of a
    choice, the key. A variable that is not named has its default; instructions and demos, what the program has now.

    Args:
        constraints: functions of all values, those derived included, that say whether they go together.
        name: what a store knows the space by. The program's class, unless given.

    Raises:
        ConfigurationError: a path that the program has not, a name given twice, derived variables that form a circle.
    """

    def __init__(
        self,
        program: Any,
        variables: Iterable[Variable] = (),
        constraints: Iterable[Constraint] = (),
        name: str | None = None,
    ) -> None:
        self.program = program
        self.name = name or type(program).__name__
        self.constraints: Sequence[Constraint] = tuple(constraints)
        self._own = tuple(variables)
        self._given: tuple[Variable, ...] = _named_once(self._own)
        self._swaps: dict[str, Swap] = {}
        self._replacements: dict[tuple[str, Any], Any] = {}
        self._stand_ins: dict[int, tuple[Any, str | None]] = {}
        self._places: dict[tuple[str, bool], list[Place]] = {}
        self.variables: dict[str, Variable] = {}
        for variable in (*_of_leaves(program), *self._given):
            self.variables[variable.name] = self._joined(variable)
        self._derived = _in_order(self.variables)
        self._check_bound_once()

    @classmethod
    def of(cls, program: Any) -> Space:
        """The instructions and demos of every leaf."""
        return cls(program)

    def on(self, program: Any) -> Space:
        """The same variables and constraints for another program of this kind, such as a copy."""
        return self if program is self.program else Space(program, self._own, self.constraints, self.name)

    # ------------------------------------------------------------ values

    def defaults(self) -> dict[str, Any]:
        """A value for every variable that can be set: the defaults, and the program's own instructions and demos."""
        own = candidate_of(self.program).values
        return {
            name: variable.check(own[name])
            if name in own and _is_of_leaf(variable, name)
            else variable.default
            for name, variable in self.variables.items()
            if not isinstance(variable, Derived)
        }

    def validate(self, values: Values) -> dict[str, Any]:
        """All values in their normal form: defaults filled in, derived ones computed.

        `ConfigurationError` lists all that is wrong, unknown names included.
        """
        complete, problems = self._examined(_mapping(values))
        if problems:
            raise ConfigurationError(
                f"These values do not fit the space {self.name!r}:\n" + "\n".join(f"- {p}" for p in problems),
                problems=problems,
            )
        return complete

    def allows(self, values: Values) -> bool:
        """Whether `validate` would find nothing wrong."""
        return not self._examined(_mapping(values))[1]

    def candidate(self, values: Values | None = None) -> Candidate:
        """A checked candidate with a value for every variable; `values` may come from a candidate's JSON."""
        complete = self.validate(values or {})
        return Candidate(
            {name: value for name, value in complete.items() if name not in self._derived_names}, self
        )

    def diff(self, a: Values, b: Values) -> dict[str, tuple[Any, Any]]:
        """The variables, those derived included, that differ: each with its value in `a` and in `b`."""
        return Candidate(self.validate(a)).diff(Candidate(self.validate(b)))

    @property
    def cardinality(self) -> float:
        """How many configurations there are to search, constraints aside: infinity with a continuous range."""
        return math.prod(variable.cardinality for variable in self.variables.values())

    @property
    def searched(self) -> dict[str, Variable]:
        """The variables that a search varies: numbers and choices."""
        return {name: one for name, one in self.variables.items() if one.dimension is not None}

    # ------------------------------------------------------------ searching

    def sample(self, rng: Random, max_tries: int = 1000) -> dict[str, Any]:
        """Numbers and choices at random, all else at its default. `UnsatisfiableSpace` when no try fits."""
        return self._first(
            ({name: one.sample(rng) for name, one in self.searched.items()} for _ in range(max_tries)),
            self.defaults(),
        )

    def mutate(self, values: Values, rng: Random, max_tries: int = 1000) -> dict[str, Any]:
        """The same values with one number or choice moved: see `Variable.mutate`."""
        before = {**self.defaults(), **_mapping(values)}
        movable = [one for one in self.variables.values() if one.mutable]
        if not movable:
            raise UnsatisfiableSpace(f"The space {self.name!r} has no number or choice that could be moved.")

        def moved() -> dict[str, Any]:
            one = rng.choice(movable)
            return {one.name: one.mutate(one.check(before[one.name]), rng)}

        return self._first((moved() for _ in range(max_tries)), before)

    def cover(self, count: int, rng: Random | None = None, max_tries: int = 1000) -> list[dict[str, Any]]:
        """Configurations that spread evenly over the space: a Halton sequence, shifted at random with an `rng`.

        `UnsatisfiableSpace` when `max_tries` points in a row do not fit.
        """
        searched = self.searched
        shifts = [rng.random() if rng else 0.0 for _ in searched]
        bases = primes(len(searched))
        base_values = self.defaults()
        index = 0

        def points() -> Generator[dict[str, Any]]:
            nonlocal index
            for _ in range(max_tries):
                index += 1
                yield {
                    name: one.at((halton(index, base) + shift) % 1.0)
                    for (name, one), base, shift in zip(searched.items(), bases, shifts, strict=True)
                }

        return [self._first(points(), base_values) for _ in range(count)]

    def suggest(self, trial: Any) -> dict[str, Any]:
        """The values that an optuna trial suggests. It is pruned (`optuna.TrialPruned`) where they do not go together."""
        values = {**self.defaults(), **{name: one.suggest(trial) for name, one in self.searched.items()}}
        _, problems = self._examined(values)
        if problems:
            from importlib import import_module

            raise import_module("optuna").TrialPruned("; ".join(problems))
        return values

    # ------------------------------------------------------------ on the program

    def bindings(self, candidate: Values) -> Bindings:
        """What to bind for a rollout of the program. Nothing of the program is copied but what holds a bound attribute."""
        plan = self._plan(candidate)
        values: dict[int, LeafValues] = {}
        leaves = dict(self.program.named_predictors())
        for name in plan.leaves:
            leaf = _leaf(leaves, name)
            values[id(leaf)] = _unless_own(leaf, plan.of_leaf(name))
        for path, option in plan.swaps.items():
            swap = self._swaps[path]
            if swap.is_own(option):
                continue
            if module_at(self.program, path) is not swap.module:
                raise UsageError(
                    f"Another module was installed at {path!r}: make a new space of the program."
                )
            replacement = self._replacements[path, option]
            for leaf, carried in swap.values_for(replacement, plan.of_leaf, swap.leaves):
                values[id(leaf)] = carried
            before = values.get(id(swap.module), LeafValues())
            values[id(swap.module)] = replace(before, replacement=replacement)
        for owner, holder in self._holders(plan):
            values.setdefault(id(owner), LeafValues(variant=holder))  # unless another class stands there
        return values

    @contextmanager
    def using(self, values: Values | None = None) -> Generator[None]:
        """Bind values to the program for a block, over what is bound already."""
        with bound.using({**(bound.get() or {}), **self.bindings(values or {})}):
            yield

    def apply(self, program: Any, values: Values | None = None) -> Any:
        """A copy of `program` that has these values for good. The program itself is not changed."""
        copied = program.deepcopy()
        plan = self._plan(values or {})
        option = plan.swaps.get(ROOT)
        if option is None or swap_at(copied, ROOT).is_own(option):
            return self._installed(copied, plan)
        del plan.swaps[ROOT]  # the program as a whole: there is nothing to put its replacement into
        self._installed(copied, plan)
        return self._rebuilt(copied, ROOT, option, plan)

    def install(self, program: Any, candidate: Values) -> Any:
        """Write the values into `program`. All is looked up before anything is changed."""
        plan = self._plan(candidate)
        if ROOT in plan.swaps and not swap_at(program, ROOT).is_own(plan.swaps[ROOT]):
            raise UsageError(
                "The program as a whole cannot become another in its place; "
                "`space.apply(program, values)` returns the other."
            )
        return self._installed(program, plan)

    def leaf_name(self, leaf: Any) -> str | None:
        """The name of a leaf, also of one that stands in for it in a rollout; None for any other."""
        found = self._stand_ins.get(id(leaf))
        if found is not None:
            return found[1]
        return next((name for name, one in self.program.named_predictors() if one is leaf), None)

    # ------------------------------------------------------------ as data

    def to_json(self) -> dict[str, Any]:
        """The definition as JSON data: variables with their ranges and defaults, and the names of constraints."""
        return {
            "name": self.name,
            "variables": [variable.to_json() for variable in self.variables.values()],
            "constraints": [_label(fn, number) for number, fn in enumerate(self.constraints, 1)],
        }

    def __repr__(self) -> str:
        return f"Space({self.name}: {', '.join(self.variables)})"

    # ------------------------------------------------------------ inside: construction

    def _joined(self, variable: Variable) -> Variable:
        """The variable, once all that it is bound to is found."""
        if variable.binding == () and isinstance(self.variables.get(variable.name), (Text, Demos)):
            variable = variable.bind(variable.name)  # it takes the place of a leaf's own
        if isinstance(variable, Choice) and variable.modules:
            return self._with_replacements(variable)
        if not isinstance(variable, Derived):
            for value in variable.options if isinstance(variable, Choice) else (variable.default,):
                for path in variable.writes(value):
                    self._found(path)
        elif not callable(variable.binding):
            for path in variable.binding:
                self._found(path)
        return variable

    def _with_replacements(self, variable: Choice) -> Choice:
        if callable(variable.binding):
            raise ConfigurationError(
                f"{variable.name!r} chooses modules: bind it to their paths, not by a function."
            )
        paths = [place.path for path in variable.binding for place in self._found(path, modules=True)]  # type: ignore[union-attr]
        for path in paths:
            swap = self._swaps.setdefault(path, swap_at(self.program, path))
            for option in variable.options.values():
                if not swap.is_own(option):
                    self._build(swap, option)
        own = [
            key for key, option in variable.options.items() if paths and self._swaps[paths[0]].is_own(option)
        ]
        return replace(variable, default=own[0]) if own and variable.prefers_own else variable

    def _build(self, swap: Swap, option: Any) -> None:
        """The replacement, once for all rollouts. It shares the history and callbacks of what it stands for."""
        replacement = swap.build(option)
        replacement.history = swap.module.history
        replacement.callbacks = [*swap.module.callbacks, *replacement.callbacks]
        self._replacements[swap.path, option] = replacement
        for leaf, name in swap.stand_ins(replacement):
            self._stand_ins[id(leaf)] = (leaf, name)  # kept, so that no other takes over its identity

    def _found(self, path: str, modules: bool = False) -> list[Place]:
        found = self._places.get((path, modules))
        if found is None:
            found = self._places[path, modules] = places(self.program, path, modules=modules)
        return found

    def _check_bound_once(self) -> None:
        """No two variables of the user's may be bound to one place."""
        bound_by: dict[Place, str] = {}
        for variable in self._given:
            joined = self.variables[variable.name]
            paths: Iterable[str] = () if callable(joined.binding) else joined.binding
            modules = isinstance(joined, Choice) and joined.modules
            for place in [place for path in paths for place in self._found(path, modules)]:
                other = bound_by.setdefault(place, variable.name)
                if other != variable.name:
                    raise ConfigurationError(
                        f"{other!r} and {variable.name!r} are bound to the same place: {place}."
                    )

    # ------------------------------------------------------------ inside: values

    @property
    def _derived_names(self) -> set[str]:
        return {variable.name for variable in self._derived}

    def _examined(self, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """All values, and what is wrong with them: names, then each variable, then what is derived, then constraints."""
        problems = [
            f"{name!r} is no variable; there are {list(self.variables)}"
            for name in values
            if name not in self.variables
        ]
        complete = self.defaults()
        for name, value in values.items():
            if name not in self.variables:
                continue
            try:
                complete[name] = self.variables[name].check(value)
            except ValueError as error:
                problems.append(f"{name!r} {error}")
                complete[name] = value
        in_doubt = bool(problems)
        problems += self._derive(complete, in_doubt)
        problems += self._violated(complete, in_doubt)
        return complete, problems

    def _derive(self, values: dict[str, Any], in_doubt: bool) -> list[str]:
        """Compute what is derived, in place. With values `in_doubt`, an error in it is theirs."""
        problems: list[str] = []
        for variable in self._derived:
            try:
                values[variable.name] = variable.fn(*(values[name] for name in variable.deps))
            except Exception as error:  # noqa: BLE001  the user's function
                values.pop(variable.name, None)
                if not in_doubt:
                    problems.append(f"{variable.name!r} could not be computed: {_said(error)}")
        return problems

    def _violated(self, values: Mapping[str, Any], in_doubt: bool = False) -> list[str]:
        problems: list[str] = []
        for number, constraint in enumerate(self.constraints, 1):
            try:
                if not constraint(values):
                    problems.append(f"{_label(constraint, number)} does not hold")
            except Exception as error:  # noqa: BLE001  the user's function
                if not in_doubt:
                    problems.append(f"{_label(constraint, number)} could not be checked: {_said(error)}")
        return problems

    def _first(self, tries: Iterable[Mapping[str, Any]], base: Mapping[str, Any]) -> dict[str, Any]:
        """The first of these values, over `base`, that go together."""
        failures: dict[str, int] = {}
        tried = 0
        for values in tries:
            tried += 1
            chosen = {**base, **values}
            complete = dict(chosen)
            problems = self._derive(complete, False) or self._violated(complete)
            if not problems:
                return chosen
            for problem in problems:
                failures[problem] = failures.get(problem, 0) + 1
        told = "; ".join(f"{problem} ({count} times)" for problem, count in failures.items())
        raise UnsatisfiableSpace(
            f"None of {tried} configurations of the space {self.name!r} fits: {told}. "
            "Widen the ranges or loosen the constraints."
        )

    # ------------------------------------------------------------ inside: the program

    def _plan(self, values: Values) -> Plan:
        """What goes where: leaves' own variables where they are given, then the user's, given or not."""
        given = _mapping(values)
        complete = self.validate(given)
        plan = Plan()
        for name, variable in self.variables.items():
            if name not in given and _is_of_leaf(variable, name):
                continue
            modules = isinstance(variable, Choice) and variable.modules
            for path, value in variable.writes(complete[name]).items():
                for place in self._found(path, modules):
                    place.put(plan, value)
        return plan

    def _holders(self, plan: Plan) -> Iterable[tuple[Any, Any]]:
        """Modules, each with a shallow copy of it that holds the bound attributes. Its leaves are the same."""
        holders: dict[int, tuple[Any, Any]] = {}
        for path, value in plan.knobs.items():
            name, steps = owner_of(self.program, path)
            owner = module_at(self.program, name)
            _, holder = holders.get(id(owner), (owner, owner))
            holders[id(owner)] = owner, with_value(holder, steps, value)
        return holders.values()

    def _installed(self, program: Any, plan: Plan) -> Any:
        leaves = dict(program.named_predictors())
        rebuilt: dict[str, Any] = {}
        written: list[tuple[Any, LeafValues]] = []
        covered: set[str] = set()
        for path, option in plan.swaps.items():
            swap = self._swaps[path]
            covered |= swap.leaves.keys()
            here = swap_at(program, path)
            if not here.is_own(option):
                rebuilt[path] = self._rebuilt(program, path, option, plan)
            else:
                written += [(leaf, plan.of_leaf(name)) for leaf, name in swap.stand_ins(here.module) if name]
        for name in plan.leaves:
            if name not in covered:
                written.append((_leaf(leaves, name), plan.of_leaf(name)))
        for path in plan.knobs:
            tree.get_part(program, path)
        for leaf, values in written:
            install_leaf(leaf, values)
        for path, value in plan.knobs.items():
            put_value(program, tree.steps_of(path), value)
        for path, module in rebuilt.items():
            tree.set_part(program, path, module)
        return program

    def _rebuilt(self, program: Any, path: str, option: Any, plan: Plan) -> Any:
        """A new module for the place at `path`, which asks as the one there would with the plan's values."""
        swap, here = self._swaps[path], swap_at(program, path)
        module = here.build(option)
        own = {name: leaf for leaf, name in swap.stand_ins(here.module) if name is not None}
        texts = {**swap.texts, **{name: leaf.signature.instructions for name, leaf in own.items()}}
        now = replace(swap, signature=here.signature, texts=texts)
        for leaf, values in now.values_for(module, plan.of_leaf, own):
            install_leaf(leaf, values)
        return module


# ---------------------------------------------------------------- inside


def _of_leaves(program: Any) -> list[Variable]:
    made: list[Variable] = []
    for name, value in candidate_of(program).values.items():
        kind = Demos if name.endswith(".demos") else Text
        made.append(kind(name, value, binding=name))
    return made


def _is_of_leaf(variable: Variable, name: str) -> bool:
    """Whether a variable is a leaf's own instructions or demos."""
    return isinstance(variable, (Text, Demos)) and variable.binding == (name,)


def _unless_own(leaf: Any, values: LeafValues) -> LeafValues:
    """Without instructions that the leaf has anyway: its signature is compiled already."""
    if values.instructions is None or values.instructions != leaf.signature.instructions:
        return values
    return replace(values, instructions=None)


def _leaf(leaves: Mapping[str, Any], name: str) -> Any:
    if name not in leaves:
        raise UsageError(
            f"This program has no leaf {name!r}, which the space has; its leaves are {list(leaves)}. "
            "Where another class was installed, make a new space of the program."
        )
    return leaves[name]


def _named_once(variables: Sequence[Variable]) -> tuple[Variable, ...]:
    names = [variable.name for variable in variables]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigurationError(
            f"A name stands for one variable, but these are given more than once: {twice}."
        )
    return tuple(variables)


def _in_order(variables: Mapping[str, Variable]) -> list[Derived]:
    """Derived variables, each after those that it is computed from."""
    derived = {name: one for name, one in variables.items() if isinstance(one, Derived)}
    for name, one in derived.items():
        unknown = [dep for dep in one.deps if dep not in variables]
        if unknown:
            raise ConfigurationError(
                f"{name!r} is derived from {unknown}, which are no variables of the space."
            )
    try:
        order = TopologicalSorter({name: one.deps for name, one in derived.items()}).static_order()
        return [derived[name] for name in order if name in derived]
    except CycleError as error:
        raise ConfigurationError(
            f"Variables are derived from each other in a circle: {error.args[1]}."
        ) from error


def _mapping(values: Values) -> Mapping[str, Any]:
    return values.values if isinstance(values, Candidate) else values


def _label(constraint: Constraint, number: int) -> str:
    name = getattr(constraint, "__name__", "<lambda>")
    return f"constraint {number}" + ("" if name == "<lambda>" else f" ({name})")


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
