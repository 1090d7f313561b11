"""Conduct an optimization from start to end: prepare the study, run the search, check the winner, install it."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

from dspx.core.budget import Budget
from dspx.core.candidate import Candidate
from dspx.core.module import Module
from dspx.core.progress import start_progress
from dspx.core.settings import snapshot
from dspx.core.state import fingerprint as fingerprint_of
from dspx.errors import BudgetExhausted, EvaluationError, UsageError
from dspx.optimizers import fingerprint
from dspx.optimizers.estimate import Shape
from dspx.optimizers.parts.winner_check import check_on_fresh, check_where_chosen
from dspx.optimizers.report import Gain, Lineage, Report, gain_of
from dspx.optimizers.rollout import Wanted
from dspx.optimizers.runs import RecordedRun, unrecorded
from dspx.optimizers.study import Study
from dspx.runtime import clock

if TYPE_CHECKING:
    from dspx.optimizers.optimizer import Optimizer

logger = logging.getLogger("dspx.optimizers")

_LEAST_CHECK = 20
_USUAL_CHECK = 40
_MOST_CHECK = 200
_KEPT_BACK = 0.2
"""The most of a budget that is kept back from the search for the last check."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a compile was asked for, beside the program: the same for every optimizer."""

    trainset: Sequence[Any]
    valset: Sequence[Any] | None = None
    teacher: Any = None
    store: Any = None
    run_id: str | None = None
    budget: Budget | None = None
    seed: int | None = None
    selection: str | None = None
    num_threads: int | None = None
    space: Any = None
    on_conflict: str = "fail"
    options: Mapping[str, Any] | None = None


async def conduct(optimizer: Optimizer, student: Module, terms: Terms) -> Any:
    """A compiled copy of `student`, with `.report`. See `Optimizer.compile` for what may be asked and what is raised."""
    _check(optimizer, student, terms)
    selection = terms.selection or optimizer.selection
    if selection not in ("honest", "dspy"):
        raise UsageError(f'selection is "honest" or "dspy", not {selection!r}.')
    seed = optimizer.chosen_seed(terms.seed)
    options = _options(optimizer, terms.options or {})
    program = student.deepcopy()
    size = optimizer.check_size(len(terms.trainset), terms.valset is not None) if selection == "honest" else 0
    trainset, checkset = _set_apart(list(terms.trainset), size, seed)
    config = _config(optimizer, program, terms, options, selection, seed)
    with ExitStack() as stack:
        recorded = _recorded(terms, optimizer, config, seed)
        stack.enter_context(recorded)
        ledger = stack.enter_context((terms.budget or Budget()).spending())
        study = Study(
            program,
            trainset=trainset,
            valset=terms.valset,
            checkset=checkset,
            teacher=_teacher(optimizer, terms.teacher),
            teacher_settings=getattr(optimizer, "teacher_settings", None),
            metric=optimizer.metric,
            space=_space(optimizer, terms, program),
            ledger=ledger,
            journal=recorded.journal,
            seed=seed,
            num_threads=terms.num_threads or optimizer.num_threads,
            max_errors=optimizer.max_errors,
            selection=selection,
            progress=start_progress(type(optimizer).__name__, _expected(optimizer, program, trainset, terms)),
        )
        return await _Conduct(optimizer, study, recorded, terms.budget).run(options)


class _Conduct:
    """One search, from its first step to the compiled program."""

    def __init__(
        self, optimizer: Optimizer, study: Study, recorded: RecordedRun, budget: Budget | None
    ) -> None:
        self.optimizer = optimizer
        self.study = study
        self.recorded = recorded
        self.budget = budget
        self.stopped_by: str | None = None
        self.parent = fingerprint_of(study.student.program)
        self._apart: list[Any] | None = None

    async def run(self, options: Mapping[str, Any]) -> Any:
        try:
            await self._search(options)
            winner = self.study.best
            gain = await self._checked(winner)
            if self.stopped_by is None:
                self.recorded.journal.check_complete()
        except BaseException as error:
            self.recorded.failed(error)
            raise
        finally:
            self.study.close()
        report = self._report(winner, gain)
        self.recorded.ended(report)
        logger.info("%s", report)
        return self._compiled(report)

    async def _search(self, options: Mapping[str, Any]) -> None:
        try:
            with self._for_the_search().spending():
                await self.optimizer.search(self.study, **options)
        except BudgetExhausted as error:
            self.stopped_by = f"the budget of {error.limit} is spent"
        except KeyboardInterrupt:
            if self.study.rollouts_run == 0:
                raise
            self.stopped_by = "interrupted"

    def _for_the_search(self) -> Budget:
        """The budget without what the last check will take."""
        if self.budget is None or not (self.optimizer.checks and self.study.honest):
            return Budget()
        check = 2 * (len(self.study.checkset) or _USUAL_CHECK)
        takes = {"rollouts": check, "lm_calls": check * max(1, len(self.study.baseline.instructions()))}
        limits: dict[str, Any] = {
            name: limit - min(_KEPT_BACK * limit, takes.get(name, limit))
            for name, limit in self.study.ledger.left.items()
        }
        for name in limits.keys() & {"rollouts", "lm_calls", "tokens"}:
            limits[name] = int(limits[name])
        return Budget(**limits)

    # ------------------------------------------------------------ the last check

    async def _checked(self, winner: Candidate) -> Gain | None:
        """How much better the winner is than the student as given."""
        study = self.study
        if winner == study.baseline:
            return self._gain_where_chosen(winner)
        if study.honest and self.optimizer.checks and self.stopped_by != "interrupted":
            await self._measure(winner)
        return self._gain_kept_apart(winner) or self._gain_where_chosen(winner)

    async def _measure(self, winner: Candidate) -> None:
        try:
            both = (self.study.baseline, winner)
            await self.study.run(
                [Wanted(candidate, example) for example in self._fresh(winner) for candidate in both]
            )
        except BudgetExhausted as error:
            self.stopped_by = self.stopped_by or f"the budget of {error.limit} is spent"
        except EvaluationError as error:
            logger.warning("The last check is incomplete: %s", error)

    def _fresh(self, winner: Candidate) -> list[Any]:
        """Examples that the search did not choose by and that the winner does not show."""
        if self._apart is None:
            self._apart = self.study.checkset or self._left_over(winner)
        return self._apart

    def _left_over(self, winner: Candidate) -> list[Any]:
        study = self.study
        if not self.optimizer.checks:
            return []
        used = {
            key for found, scores in study.scores.items() if found != study.baseline.hash for key in scores
        }
        fresh = [
            example for example in _not_shown(winner, study.trainset) if study.key_of(example) not in used
        ]
        if len(fresh) < _LEAST_CHECK:
            return []
        return Random(study.seed).sample(fresh, min(len(fresh), _MOST_CHECK))

    def _gain_kept_apart(self, winner: Candidate) -> Gain | None:
        pairs = self.study.paired(self.study.baseline, winner, self._fresh(winner))
        before, after = [a for a, _ in pairs], [b for _, b in pairs]
        check = check_on_fresh(before, after, self.study.seed)
        return gain_of(check, before, after, "examples kept apart from the search")

    def _gain_where_chosen(self, winner: Candidate) -> Gain | None:
        """On the examples that it was chosen by and does not show, corrected for the choice."""
        study = self.study
        unseen = _not_shown(winner, study.valset)
        examples = unseen if study.paired(study.baseline, winner, unseen) else study.valset
        pairs = study.paired(study.baseline, winner, examples)
        if not pairs:
            return None
        hashes, scores = study.table(examples)
        check = check_where_chosen(scores, hashes.index(winner.hash), seed=study.seed)
        on = "the examples that it was chosen by, with the choice allowed for"
        return gain_of(check, [a for a, _ in pairs], [b for _, b in pairs], on)

    def _overall(self, winner: Candidate) -> float | None:
        """The winner against the student, over all that was measured of both."""
        pairs = self.study.paired(self.study.baseline, winner)
        return round(100 * sum(b - a for a, b in pairs) / len(pairs), 2) if pairs else None

    # ------------------------------------------------------------ what comes back

    def _report(self, winner: Candidate, gain: Gain | None) -> Report:
        study, total = self.study, self.study.ledger.total
        overall = self._overall(winner)
        kept = winner == study.baseline or (study.honest and overall is not None and overall < 0)
        return Report(
            optimizer=type(self.optimizer).__name__,
            selection=study.selection,
            gain=gain,
            overall=overall,
            winner=study.baseline if kept else winner,
            kept_student=kept,
            spent=replace(total, seconds=round(total.seconds, 3)),
            spent_on=study.ledger.by_purpose,
            rollouts=study.rollouts_run,
            replayed=study.journal.replayed,
            stopped_by=self.stopped_by,
            run_id=self.recorded.run_id,
            seed=study.seed,
            lineage=[_lineage(study, found) for found in study.origins],
        )

    def _compiled(self, report: Report) -> Any:
        study = self.study
        compiled: Any = study.student.program
        for name, value in study.notes.items():
            setattr(compiled, name, _with_programs(study, value))
        _install(study, compiled, report.winner)
        compiled._compiled = self.optimizer.freezes
        compiled.report = report
        compiled.provenance = {**report.to_json(), "parent": self.parent, "created": clock.time()}
        return compiled


def _with_programs(study: Study, value: Any) -> Any:
    """Candidates in an attribute become programs, as DSPy's users expect them."""
    if isinstance(value, Candidate):
        return _install(study, study.student.program.deepcopy(), value)
    if isinstance(value, Mapping):
        return {
            ("program" if name == "candidate" else name): _with_programs(study, part)
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [_with_programs(study, part) for part in value]
    return value


def _install(study: Study, program: Any, candidate: Candidate) -> Any:
    if study.space is not None:
        study.space.install(program, candidate)
    else:
        candidate.install(program)
    return program


def _lineage(study: Study, found: str) -> Lineage:
    origin = study.origins[found]
    scores = list(study.scores.get(found, {}).values())
    mean = round(100 * sum(scores) / len(scores), 2) if scores else None
    return Lineage(study.candidate(found), origin.how, origin.parents, mean, len(scores))


def _not_shown(candidate: Candidate, examples: Sequence[Any]) -> list[Any]:
    """The examples whose inputs are in none of its demos; of the others it need only copy the answer."""
    shown = [_content(demo) for demos in candidate.demos().values() for demo in demos]
    return [example for example in examples if not any(_content(example.inputs()) <= demo for demo in shown)]


def _content(values: Any) -> frozenset[tuple[str, str]]:
    return frozenset((name, repr(value)) for name, value in values.items())


# ---------------------------------------------------------------- before


def _check(optimizer: Optimizer, student: Any, terms: Terms) -> None:
    name = type(optimizer).__name__
    if not hasattr(student, "named_predictors"):
        raise UsageError(f"{name}.compile takes a program (a dspx.Module), not {type(student).__name__}.")
    if not student.named_predictors():
        raise UsageError(f"{type(student).__name__} has no predictors, so there is nothing to optimize.")
    if optimizer.needs_metric and optimizer.metric is None:
        raise UsageError(f"{name} needs a metric: {name}(metric=…).")
    if optimizer.needs_trainset and not len(terms.trainset):
        raise UsageError(f"{name}.compile needs examples: trainset is empty.")
    if terms.valset is not None and not len(terms.valset):
        raise UsageError(f"{name}.compile was given an empty valset; leave it out to use the trainset.")
    for label, examples in (("trainset", terms.trainset), ("valset", terms.valset or ())):
        for place, example in enumerate(examples):
            if getattr(example, "_input_keys", None) is None:
                raise UsageError(
                    f"{label}[{place}] does not say which of its fields are inputs: "
                    "use dspx.Example(…).with_inputs('question')."
                )


def _options(optimizer: Optimizer, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this optimizer's search: those it knows, refused otherwise."""
    parameters = list(inspect.signature(optimizer.search).parameters.values())[1:]
    known = [parameter.name for parameter in parameters]
    unknown = [name for name in given if name not in known]
    if unknown:
        takes = ", ".join(["trainset", *COMMON, *known])
        raise UsageError(
            f"{type(optimizer).__name__}.compile has no argument {', '.join(unknown)}; it takes {takes}."
        )
    return dict(given)


COMMON = (
    "teacher",
    "valset",
    "store",
    "run_id",
    "budget",
    "seed",
    "selection",
    "num_threads",
    "space",
    "on_conflict",
)
"""What every optimizer's `compile` takes beside the trainset."""


def _expected(optimizer: Optimizer, program: Any, trainset: Sequence[Any], terms: Terms) -> int:
    """How many rollouts the search will take at most, for the progress line; 0 where the optimizer does not say."""
    if not optimizer.says_work:
        return 0
    val = len(terms.valset) if terms.valset is not None else len(trainset)
    honest = (terms.selection or optimizer.selection) == "honest"
    shape = Shape(len(trainset), val, len(program.predictors()), honest, terms.valset is not None)
    return optimizer.work(shape, **(terms.options or {})).rollouts[1]


def _set_apart(trainset: list[Any], size: int, seed: int) -> tuple[list[Any], list[Any]]:
    """The trainset to search on, and the examples kept apart to check the winner on."""
    if not size:
        return trainset, []
    apart = set(Random(f"check {seed}").sample(range(len(trainset)), size))
    rest = [example for place, example in enumerate(trainset) if place not in apart]
    return rest, [trainset[place] for place in sorted(apart)]


def _teacher(optimizer: Optimizer, teacher: Any) -> Any:
    if isinstance(teacher, (list, tuple)):
        raise UsageError(f"{type(optimizer).__name__}.compile takes one teacher, not {len(teacher)}.")
    return None if teacher is None else teacher.deepcopy()


def _space(optimizer: Optimizer, terms: Terms, program: Any) -> Any:
    space = terms.space if terms.space is not None else getattr(optimizer, "space", None)
    if space is None:
        return None
    return space(program) if callable(space) else space.on(program)


def _config(
    optimizer: Optimizer,
    program: Any,
    terms: Terms,
    options: Mapping[str, Any],
    selection: str,
    seed: int,
) -> dict[str, Any]:
    """What makes this search this search. Budgets and threads are not part of it: they may change on the way."""
    params = {
        name: fingerprint.of_setting(value)
        for name, value in optimizer.get_params().items()
        if name not in ("metric", "num_threads", "selection", "seed", "log_dir", "verbose")
        and value is not None
    }
    return {
        "optimizer": type(optimizer).__name__,
        "settings": params,
        "options": {name: fingerprint.of_setting(value) for name, value in options.items()},
        "program": fingerprint.of_program(program),
        "teacher": None if terms.teacher is None else fingerprint.of_program(terms.teacher),
        "trainset": fingerprint.of_data(terms.trainset),
        "valset": fingerprint.of_data(terms.valset),
        "metric": None if optimizer.metric is None else fingerprint.of_setting(optimizer.metric),
        "lm": fingerprint.of_lm(snapshot()["lm"]),
        "space": None if terms.space is None else fingerprint.of_setting(_space(optimizer, terms, program)),
        "selection": selection,
        "seed": seed,
    }


def _recorded(terms: Terms, optimizer: Optimizer, config: Mapping[str, Any], seed: int) -> RecordedRun:
    if terms.store is None and terms.run_id is None:
        return unrecorded()
    name = fingerprint.name_of(optimizer.metric) if optimizer.metric is not None else ""
    return RecordedRun(terms.store, terms.run_id, config, name, seed, terms.on_conflict)
