"""What every optimizer shares: `compile`, its async twin, and the callbacks around it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from dspx.core.events import aobserve, observe
from dspx.core.module import Module
from dspx.errors import UsageError
from dspx.runtime.bridge import in_thread, is_async_here, on_background_loop, run

if TYPE_CHECKING:
    from dspx.core.example import Example
    from dspx.optimizers.estimate import Estimate, Shape, Work
    from dspx.optimizers.study import Study

M = TypeVar("M", bound=Module)

_ENOUGH = 60
"""From so many examples on, a share of them is kept apart to check the winner on."""
_CHECK_SHARE = 0.25
_LEAST_CHECK = 20
_MOST_CHECK = 200


class Optimizer:
    """`optimizer.compile(student, trainset=…)` gives a better program and leaves `student` as it was.

    A subclass overrides `search(study)`, where every new thing comes from the study; then `compile` also takes
    `store=` and `run_id=` (a search that was killed goes on from its record), `budget=`, `seed=`, `selection=`,
    `num_threads=`, `space=`, and the search's own keyword parameters. Or it overrides `acompile`, or `compile`
    where it is sync code; the other is derived.

    selection: "honest" compares candidates on common examples, checks the winner on examples that the search did
        not use, and never returns a program that it measured to be worse than the student; "dspy" takes the best
        score seen, as DSPy does.
    """

    callbacks: Sequence[Any] = ()
    metric: Any = None
    num_threads: int | None = None
    max_errors: int | None = None
    selection: str = "honest"

    needs_metric: ClassVar[bool] = True
    needs_trainset: ClassVar[bool] = True
    checks: ClassVar[bool] = True
    """Whether the winner is measured against the student at the end."""
    freezes: ClassVar[bool] = True
    """Whether the result counts as compiled: inside another program, optimizers leave it as it is."""
    unused: ClassVar[frozenset[str]] = frozenset()
    """What `compile` refuses, because this optimizer has no use for it."""

    _acompile_steps: bool = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own: dict[str, Any] = {name: vars(cls)[name] for name in ("compile", "acompile") if name in vars(cls)}
        if len(own) == 1:  # the other one, if inherited, is a parent's way and not this class's
            missing = "compile" if "acompile" in own else "acompile"
            setattr(cls, missing, getattr(Optimizer, missing))
        elif not own and "search" in vars(cls):
            cls.compile, cls.acompile = Optimizer.compile, Optimizer.acompile
        if "compile" in own:
            setattr(cls, "compile", _observed(own["compile"]))  # noqa: B010
        if "acompile" in own:
            setattr(cls, "acompile", _aobserved(own["acompile"]))  # noqa: B010
            # dspx's own coroutines never wait in a sync call, so they can be stepped; a user's may.
            cls._acompile_steps = cls.__module__.partition(".")[0] == "dspx"

    def compile(
        self,
        student: M,
        *,
        trainset: Sequence[Example],
        teacher: Module | None = None,
        valset: Sequence[Example] | None = None,
        **kwargs: Any,
    ) -> M:
        """A better program, made of a copy of `student`; `.report` says how much better, how sure, at what cost.

        Args:
            trainset: examples to learn from. valset: examples to choose by (the trainset, unless given).
            teacher: the program that shows how, where the optimizer has use for one.
            store: where to record the run: a `dspx.store.Store` or its URL. run_id: its name. The same call with the
                same run_id goes on where an earlier one was killed, and asks nothing twice.
            budget: a `dspx.Budget`; the best so far comes back when it is spent.
            seed, selection, num_threads: as for the constructor. space: a `dspx.Space` of further variables.
            on_conflict: "fail" or "wait" where another process works on the run.

        Raises:
            SearchDiverged: the run of this id is another search; the message says in what.
            EvaluationError: so many rollouts failed that something other than the candidates is wrong.
            LeaseHeld: another process works on the run.
        """
        given = {"teacher": teacher, "valset": valset}
        options = {**{name: value for name, value in given.items() if value is not None}, **kwargs}
        body: Any = self.acompile
        if self._acompile_steps or is_async_here():
            return run(body(student, trainset=trainset, **options))
        return on_background_loop(body, student, trainset=trainset, **options)

    async def acompile(self, student: M, *, trainset: Sequence[Example], **kwargs: Any) -> M:
        """`compile` for async code."""
        if self.searches:
            return await _heard(self, _conducted, student, trainset, kwargs)
        if type(self).compile is Optimizer.compile:
            raise UsageError(
                f"{type(self).__name__} cannot compile: define `search`, `acompile` or `compile`."
            )
        body: Any = self.compile
        return await in_thread(body, student, trainset=trainset, **kwargs)

    @property
    def searches(self) -> bool:
        """Whether it has a `search`, and `compile` therefore takes what a study takes."""
        return type(self).search is not Optimizer.search

    async def search(self, study: Study, *args: Any, **options: Any) -> None:
        """Find a better candidate with the study's means, and `study.adopt` it. Override this."""
        raise UsageError(f"{type(self).__name__} has no search.")

    def estimate(
        self,
        student: Module,
        *,
        trainset: Sequence[Example],
        valset: Sequence[Example] | None = None,
        **options: Any,
    ) -> Estimate:
        """What `compile` with these arguments will take: rollouts, LM calls, tokens, dollars; nothing is asked.

        >>> print(dspx.MIPROv2(metric).estimate(program, trainset=trainset))
        """
        from dspx.optimizers.estimate import estimate

        return estimate(self, student, trainset, valset, **options)

    def work(self, shape: Shape, **options: Any) -> Work:
        """How many rollouts and asks the search takes, for `estimate`. Override this with `search`."""
        raise UsageError(f"{type(self).__name__} does not say what its search takes: it has no `work`.")

    @property
    def says_work(self) -> bool:
        """Whether it has a `work`, so that a compile can be estimated."""
        return type(self).work is not Optimizer.work

    def check_size(self, examples: int, has_valset: bool) -> int:
        """How many of the trainset's examples honest selection keeps apart, to check the winner on."""
        if self.selection != "honest" or not self.checks or has_valset or examples < _ENOUGH:
            return 0
        return min(_MOST_CHECK, max(_LEAST_CHECK, int(_CHECK_SHARE * examples)))

    def chosen_seed(self, given: int | None) -> int:
        """The seed of a compile: the one given, else the optimizer's own, else 0."""
        own = getattr(self, "seed", None)
        return given if given is not None else own if own is not None else 0

    def get_params(self) -> dict[str, Any]:
        """What the optimizer was made with."""
        return {name: value for name, value in vars(self).items() if name != "callbacks"}


Teleprompter = Optimizer

_compiling: ContextVar[frozenset[int]] = ContextVar("dspx_compiling", default=frozenset())
"""The optimizers at work around us, so that `super().compile()` and a derived twin are not heard twice."""


async def _conducted(self: Optimizer, student: Any, trainset: Sequence[Any], given: Mapping[str, Any]) -> Any:
    from dspx.optimizers.conduct import COMMON, Terms, conduct

    refused = [name for name, value in given.items() if name in self.unused and value is not None]
    if refused:
        raise UsageError(f"{type(self).__name__}.compile has no use for {', '.join(refused)}.")
    terms = {name: value for name, value in given.items() if name in COMMON and value is not None}
    options = {name: value for name, value in given.items() if name not in COMMON}
    return await conduct(self, student, Terms(trainset, **terms, options=options))


async def _heard(
    self: Optimizer,
    body: Callable[..., Awaitable[Any]],
    student: Any,
    trainset: Sequence[Any],
    given: Mapping[str, Any],
) -> Any:
    """`body`, with its start and its end told to callbacks: the arguments given, and the search's defaults."""
    if id(self) in _compiling.get():
        return await body(self, student, trainset, given)
    parameters = list(inspect.signature(self.search).parameters.values())[1:]
    defaults = {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}
    shown = {name: value for name, value in given.items() if value is not None}
    token = _compiling.set(_compiling.get() | {id(self)})
    try:
        return await aobserve(
            "compile",
            self,
            lambda: {"student": student, "trainset": trainset, **defaults, **shown},
            body,
            self,
            student,
            trainset,
            given,
        )
    finally:
        _compiling.reset(token)


def _observed(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def compile(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        if id(self) in _compiling.get():
            return method(self, *args, **kwargs)
        token = _compiling.set(_compiling.get() | {id(self)})
        try:
            return observe(
                "compile", self, lambda: _named(method, args, kwargs), lambda: method(self, *args, **kwargs)
            )
        finally:
            _compiling.reset(token)

    return compile


def _aobserved(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(method)
    async def acompile(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        if id(self) in _compiling.get():
            return await method(self, *args, **kwargs)
        token = _compiling.set(_compiling.get() | {id(self)})
        try:
            return await aobserve(
                "compile", self, lambda: _named(method, args, kwargs), lambda: method(self, *args, **kwargs)
            )
        finally:
            _compiling.reset(token)

    return acompile


def _named(method: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by name, defaults included."""
    signature = inspect.signature(method)
    arguments = signature.bind(None, *args, **kwargs)
    arguments.apply_defaults()
    named = dict(list(arguments.arguments.items())[1:])
    for name, parameter in signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            named.update(named.pop(name))
    return named
