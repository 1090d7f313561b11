"""A study: one optimization in progress. It owns rollouts, asks, budget, randomness and the best so far.

A search gets everything new from its study, which records it: `evaluate`, `ask`, `call`, `rng`. So a search that
crashed is run again, and is answered from the record up to where it was.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from dspx.core.budget import Budget, Ledger, Spending, purpose
from dspx.core.budget import ledger as current_ledger
from dspx.core.calls import entrance
from dspx.core.candidate import Bindings, Candidate, LeafValues, bound
from dspx.core.canonical import stable_hash
from dspx.core.prediction import Prediction
from dspx.core.progress import Progress
from dspx.core.settings import context, snapshot
from dspx.errors import BudgetExhausted, LMError, LMInvalidRequestError, StudyError
from dspx.optimizers.batch import Batch
from dspx.optimizers.fingerprint import example_data, name_of
from dspx.optimizers.journal import Journal, key_of
from dspx.optimizers.parts.demos import labelled
from dspx.optimizers.parts.plain import plain, plain_values, typed_values
from dspx.optimizers.parts.racing import BOLD_FIRST, next_batch, race_boldly
from dspx.optimizers.perform import Leaves, Metric
from dspx.optimizers.rollout import Measured, Rollout, Subject, Wanted, ranked
from dspx.runtime import clock
from dspx.runtime.fanout import Outcome, fan_out
from dspx.runtime.flight import Flights
from dspx.runtime.locks import Lock
from dspx.runtime.scope import Scoped

T = TypeVar("T")

_LABELLED = 16
_TELL_SECONDS = 0.5

logger = logging.getLogger("dspx.optimizers")


class AskFailed(StudyError):
    """A question that a study asked had no answer that could be read. The search may go on without."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a candidate came from."""

    how: str
    parents: tuple[str, ...] = ()
    """Hashes of the candidates that it was made from."""


@dataclass(slots=True)
class _Branch:
    """A line of the search that goes on beside others; it counts its own steps and draws its own numbers."""

    name: str
    rng: Random
    steps: int = 0
    asked: dict[str, int] = field(default_factory=dict[str, int])


_branch: Scoped[_Branch | None] = Scoped("dspx_study_branch", None)


class Study:
    """What an optimizer's `search(study)` works with.

    student, baseline: the program (a private copy), and its values when it was given.
    trainset, valset: `valset` is the trainset where none was given. checkset: kept apart for the last check.
    teacher: the subject that shows how; the student where none was given.
    metric, seed, num_threads, selection: as the optimizer was told.
    """

    def __init__(
        self,
        student: Any,
        *,
        trainset: Sequence[Any],
        metric: Any,
        ledger: Ledger,
        valset: Sequence[Any] | None = None,
        checkset: Sequence[Any] = (),
        teacher: Any = None,
        teacher_settings: Mapping[str, Any] | None = None,
        space: Any = None,
        journal: Journal | None = None,
        seed: int = 0,
        num_threads: int | None = None,
        max_errors: int | None = None,
        selection: str = "honest",
        progress: Progress | None = None,
    ) -> None:
        self.student = Subject("student", student)
        self.teacher = Subject(
            "teacher", student if teacher is None else teacher, dict(teacher_settings or {})
        )
        self.trainset = list(trainset)
        self.valset = self.trainset if valset is None else list(valset)
        self.checkset = list(checkset)
        self.has_valset = valset is not None
        self.metric = metric
        self.space = space
        self.ledger = ledger
        self.seed = seed
        self.num_threads = num_threads or snapshot()["num_threads"]
        self.max_errors = max_errors
        self.selection = selection
        self.baseline: Candidate = student.candidate()
        self.adopted: Candidate | None = None
        self.origins: dict[str, Origin] = {self.baseline.hash: Origin("the student as given")}
        self.notes: dict[str, Any] = {}
        self.scores: dict[str, dict[str, float]] = {}
        """By candidate and example: what was measured of the student with plain metric calls."""
        self.journal = journal or Journal()
        self.rollouts_run = 0
        self.asks_made = 0
        self._judge = Metric(metric) if metric is not None else _Always()
        self._metric_name = name_of(metric) if metric is not None else ""
        self._keys = _example_keys([*self.trainset, *self.valset, *self.checkset])
        self._met: list[Any] = []
        self._flights = Flights()
        self._candidates: dict[str, Candidate] = {self.baseline.hash: self.baseline}
        self._rollouts: dict[str, Rollout] = {}
        self._paid: set[str] = set()
        """Keys of the rollouts that the budget was charged with, by whichever branch wanted them first."""
        self._bindings: dict[tuple[str, str], Bindings] = {}
        self._leaves: dict[str, Leaves] = {}
        self._root = _Branch("", Random(seed))
        self._progress = progress
        self._told_at = 0.0
        self._lock = Lock()

    # ------------------------------------------------------------ randomness and branches

    @property
    def rng(self) -> Random:
        """The seeded source of chance of this branch of the search."""
        return self._here.rng

    @property
    def honest(self) -> bool:
        """Whether selection goes by paired comparisons, and not by the best score seen."""
        return self.selection == "honest"

    @property
    def open_ledger(self) -> Ledger:
        """The budget in force here: the search's own, which keeps something back for the last check, or the whole."""
        return current_ledger.get() or self.ledger

    @property
    def _here(self) -> _Branch:
        return _branch.get() or self._root

    async def gather(self, work: Sequence[Callable[[], Awaitable[T]]], name: str = "branch") -> list[T]:
        """What each of these gives, run side by side; each has randomness of its own. The first error is raised."""
        here = self._here
        number = here.asked[name] = here.asked.get(name, 0) + 1
        branches = [
            _Branch(path, Random(stable_hash([self.seed, path])))
            for path in (f"{here.name}{name}{number}.{index}/" for index in range(len(work)))
        ]

        async def one(index: int) -> T:
            with _branch.using(branches[index]):
                return await work[index]()

        outcomes = await fan_out(one, range(len(work)), workers=min(len(work), self.num_threads))
        return [_value(outcome) for outcome in outcomes]

    # ------------------------------------------------------------ rollouts

    async def evaluate(
        self,
        candidate: Candidate,
        examples: Sequence[Any] | None = None,
        *,
        subject: Subject | None = None,
        repeat: int = 0,
        keep_steps: bool = False,
        tell_trace: bool = False,
    ) -> Measured:
        """One candidate on examples (the valset, unless told): what came of each."""
        examples = self.valset if examples is None else examples
        wanted = [Wanted(candidate, example, repeat) for example in examples]
        rollouts = await self.run(wanted, subject=subject, keep_steps=keep_steps, tell_trace=tell_trace)
        return Measured(candidate, rollouts)

    async def evaluate_all(
        self, candidates: Sequence[Candidate], examples: Sequence[Any] | None = None, **how: Any
    ) -> list[Measured]:
        """Several candidates on the same examples, all at once."""
        examples = self.valset if examples is None else examples
        wanted = [Wanted(candidate, example) for candidate in candidates for example in examples]
        rollouts = await self.run(wanted, **how)
        n = len(examples)
        return [
            Measured(candidate, rollouts[place * n : (place + 1) * n])
            for place, candidate in enumerate(candidates)
        ]

    async def select(
        self,
        candidates: Sequence[Candidate],
        examples: Sequence[Any] | None = None,
        *,
        stop_at: float | None = None,
        first: int = BOLD_FIRST,
    ) -> list[Measured]:
        """The candidates on the examples (the valset, unless told), the best first, equals in their order.

        Honest selection runs all on the `first` examples of `raced`, drops those that are probably behind, goes on with
        the others on twice as many, and so on: where candidates are close, that takes half of the rollouts and finds
        one about as good as the best. The student, where it is one of them, stays until it is surely behind.
        `stop_at` (percent): in their order, no candidate is tried after one that reaches it.
        """
        candidates = list(dict.fromkeys(candidates))
        if stop_at is not None:
            return ranked(await self._until(candidates, examples, stop_at))
        if self.honest and len(candidates) > 1:
            return await self._race(candidates, self.raced(examples), first)
        return ranked(await self.evaluate_all(candidates, examples))

    def raced(self, examples: Sequence[Any] | None = None) -> list[Any]:
        """The examples (the valset, unless told) in the order in which a selection runs them, the same every time."""
        examples = self.valset if examples is None else examples
        return Random(f"race {self.seed}").sample(examples, len(examples))

    async def _race(
        self, candidates: Sequence[Candidate], examples: Sequence[Any], first: int
    ) -> list[Measured]:
        """All on a few examples, those that are left on more."""
        student = [place for place, candidate in enumerate(candidates) if candidate == self.baseline]
        found: list[list[Rollout | None]] = [[None] * len(examples) for _ in candidates]
        alive: Sequence[int] = range(len(candidates))
        dropped: list[int] = []
        while pending := next_batch(_run(found), alive, first=first):
            rollouts = await self.run([Wanted(candidates[c], examples[e]) for c, e in pending])
            for (c, e), rollout in zip(pending, rollouts, strict=True):
                found[c][e] = rollout
            standing = race_boldly(_scores(found), alive, first=first, spare=student)
            alive = standing.alive
            dropped += standing.dropped
        places = [*alive, *sorted(dropped, key=lambda place: -_mean(found[place]))]
        return [
            Measured(candidates[place], [one for one in found[place] if one is not None]) for place in places
        ]

    async def _until(
        self, candidates: Sequence[Candidate], examples: Sequence[Any] | None, stop_at: float
    ) -> list[Measured]:
        measured: list[Measured] = []
        for candidate in candidates:
            measured.append(await self.evaluate(candidate, examples))
            if measured[-1].score >= stop_at:
                break
        return measured

    async def run(
        self,
        wanted: Sequence[Wanted],
        *,
        subject: Subject | None = None,
        keep_steps: bool = False,
        tell_trace: bool = False,
    ) -> list[Rollout]:
        """The rollouts wanted, in their order, `num_threads` at a time; those known already cost nothing.

        `keep_steps` keeps what each leaf was asked and said. `tell_trace` gives the metric the trace as its third
        argument, as DSPy does while bootstrapping. `BudgetExhausted` where the budget does not allow all of them;
        `EvaluationError` where so many fail that something else is wrong than the candidates.
        """
        batch = Batch(self, wanted, subject or self.student, keep_steps, tell_trace)
        batch.visit(self._next_place())
        await batch.perform()
        return batch.results()

    # ------------------------------------------------------------ asks

    async def ask(
        self,
        label: str,
        predictor: Any,
        *,
        lm: Any = None,
        temperature: float | None = None,
        n: int | None = None,
        adapter: Any = None,
        **inputs: Any,
    ) -> Prediction:
        """What `predictor` answers, recorded. The same question asked again is answered afresh.

        `AskFailed` where the answer could not be read, now and whenever the search is resumed.
        """
        config = {
            name: value for name, value in (("temperature", temperature), ("n", n)) if value is not None
        }
        question = [_asked(predictor), plain_values(inputs), config]

        async def produce(occurrence: int) -> Any:
            settings = {**({"lm": lm} if lm is not None else {}), **({"adapter": adapter} if adapter else {})}
            fresh = int(stable_hash([self.seed, self._here.name, label, question, occurrence])[:8], 16)
            values = {
                id(leaf): LeafValues(config={**config, "rollout_id": fresh})
                for _, leaf in predictor.named_predictors()
            }
            with context(**settings, trace=None), bound.using(values):
                prediction = await entrance(predictor)(**inputs)
            return _completions(prediction)

        answer = await self.call(label, question, produce)
        signature = _signature_of(predictor)
        return Prediction.from_completions([typed_values(signature, row) for row in answer], signature)

    async def ask_all(
        self, questions: Sequence[Callable[[], Awaitable[T]]], name: str = "ask"
    ) -> list[T | None]:
        """Several asks side by side; None where one failed to be answered."""

        async def one(question: Callable[[], Awaitable[T]]) -> T | None:
            try:
                return await question()
            except AskFailed as error:
                logger.warning("%s", error)
                return None

        return await self.gather([lambda question=question: one(question) for question in questions], name)

    async def call(self, label: str, question: Any, produce: Callable[[int], Awaitable[Any]]) -> Any:
        """What `produce(occurrence)` gives (JSON data) for this question, recorded under `label`."""
        here = self._here
        inputs_hash = stable_hash(question)
        label = f"{here.name}{label}"
        with self._lock:
            occurrence = here.asked.get(label + inputs_hash, 0)
            here.asked[label + inputs_hash] = occurrence + 1
        place = self._next_place()
        self.journal.visit(place, [key_of(label, inputs_hash, occurrence)], f"{label!r}")
        recorded = self.journal.answer(label, inputs_hash, occurrence)
        if recorded is not None:
            self.open_ledger.add(recorded.spent, "proposer")
            return _answer(recorded.answer)
        self.asks_made += 1
        answer, spent = await self._produced(produce, occurrence, label)
        await self.journal.record_answer(label, inputs_hash, occurrence, {**answer, "place": place}, spent)
        return _answer(answer)

    async def _produced(
        self, produce: Callable[[int], Awaitable[Any]], occurrence: int, label: str
    ) -> tuple[dict[str, Any], Spending]:
        with purpose.using("proposer"), Budget().spending() as spent:
            try:
                answer: dict[str, Any] = {"value": plain(await produce(occurrence))}
            except (BudgetExhausted, StudyError):
                raise
            except Exception as error:
                if isinstance(error, LMError) and not isinstance(error, LMInvalidRequestError):
                    raise
                answer = {"error": f"{label} was not answered: {type(error).__name__}: {error}"[:2000]}
        if spent.exhausted is not None:
            raise BudgetExhausted("The budget was spent in the middle of an ask.", limit=spent.exhausted)
        return answer, spent.total

    async def compile(self, optimizer: Any, program: Any, name: str, **arguments: Any) -> Any:
        """What another optimizer makes of `program`, within this study's budget and record."""
        run_id = f"{self.journal.run_id}/{self._here.name}{name}"
        recorded = {} if self.journal.store is None else {"store": self.journal.store, "run_id": run_id}
        common = {"seed": self.seed, "selection": self.selection, "num_threads": self.num_threads, **recorded}
        searches = getattr(optimizer, "searches", False)  # one of the user's may take the bare arguments only
        compiled = await optimizer.acompile(program, **{**(common if searches else {}), **arguments})
        report = getattr(compiled, "report", None)
        if report is not None:
            self.rollouts_run += report.rollouts
            self.journal.replayed += report.replayed
        return compiled

    def beginnings(self, max_labeled_demos: int | None) -> list[Candidate]:
        """Where a search may begin: the student, and the student with labelled demos where it has none.

        None stands for 16 of them under honest selection, and for none as in DSPy otherwise.
        """
        size = max_labeled_demos if max_labeled_demos is not None else _LABELLED if self.honest else 0
        shown = self.baseline.demos()
        if not size or any(shown.values()):
            return [self.baseline]
        demos = labelled(shown, self.trainset, size)
        return [
            self.baseline,
            self.propose(self.baseline.with_demos(demos), "labelled examples", self.baseline),
        ]

    # ------------------------------------------------------------ the best so far

    def run_with(self, **settings: Any) -> None:
        """Settings that the student's rollouts run under: `lm`, `adapter`, …"""
        self.student = Subject(self.student.name, self.student.program, {**self.student.settings, **settings})

    def choose_by(self, valset: Sequence[Any], *, learn_from: Sequence[Any]) -> None:
        """Split the examples: candidates are measured on `valset`, and made from `learn_from`."""
        self.valset, self.trainset, self.has_valset = list(valset), list(learn_from), True

    def propose(self, candidate: Candidate, how: str, *parents: Candidate) -> Candidate:
        """`candidate`, noted with where it came from. The first origin stands."""
        self.origins.setdefault(candidate.hash, Origin(how, tuple(parent.hash for parent in parents)))
        self._candidates.setdefault(candidate.hash, candidate)
        return candidate

    def adopt(self, candidate: Candidate) -> None:
        """The search's choice; the last one counts."""
        self.propose(candidate, "adopted")
        self.adopted = candidate

    @property
    def best(self) -> Candidate:
        """What was adopted; else what was measured to be best; else the student as given."""
        return self.adopted or self.best_measured() or self.baseline

    def best_measured(self) -> Candidate | None:
        """The candidate that did best on the valset, as far as each was run: one deviation below its mean counts,
        so that a lucky few do not win. Of equals the student; None where nothing was measured."""
        keys = {self.key_of(example) for example in self.valset}
        ranked: list[tuple[float, bool, str]] = []
        with self._lock:
            measured = {found: dict(scores) for found, scores in self.scores.items()}
        for found, scores in measured.items():
            values = [value for key, value in scores.items() if key in keys]
            if values:
                unsure = 0.5 / len(values) ** 0.5 if len(values) < len(keys) else 0.0
                mean = sum(values) / len(values)
                ranked.append((unsure - mean, found != self.baseline.hash, found))
        return self._candidates[min(ranked)[2]] if ranked else None

    def candidate(self, found: str) -> Candidate:
        """The candidate of this hash."""
        return self._candidates[found]

    def table(self, examples: Sequence[Any]) -> tuple[list[str], list[list[float | None]]]:
        """Hashes of all candidates measured on any of the examples, the student first, and their scores on each."""
        keys = [self.key_of(example) for example in examples]
        found = [self.baseline.hash, *sorted(one for one in self.scores if one != self.baseline.hash)]
        rows = {one: [self.scores.get(one, {}).get(key) for key in keys] for one in found}
        kept = {one: row for one, row in rows.items() if any(score is not None for score in row)}
        return list(kept), list(kept.values())

    def paired(
        self, one: Candidate, other: Candidate, examples: Sequence[Any] | None = None
    ) -> list[tuple[float, float]]:
        """The scores of both candidates, example by example, where both were measured."""
        left, right = self.scores.get(one.hash, {}), self.scores.get(other.hash, {})
        keys = list(left) if examples is None else [self.key_of(example) for example in examples]
        return [(left[key], right[key]) for key in keys if key in left and key in right]

    def note(self, **attributes: Any) -> None:
        """What the compiled program is to carry: `candidate_programs`, `trial_logs`, …"""
        self.notes.update(attributes)

    def key_of(self, example: Any) -> str:
        """What identifies an example in this study."""
        key = self._keys.get(id(example))
        if key is None:
            key = self._keys[id(example)] = stable_hash(example_data(example))[:32]
            self._met.append(example)  # kept, so that no other takes over its identity
        return key

    def leaves(self, subject: Subject | None = None) -> Leaves:
        """The names and types of a subject's leaves."""
        subject = subject or self.student
        found = self._leaves.get(subject.name)
        if found is None:
            space = self.space if subject.program is self.student.program else None
            found = self._leaves[subject.name] = Leaves(subject.program, space)
        return found

    def close(self) -> None:
        """The search is over: nothing is shown any more."""
        if self._progress is not None:
            self._progress.close()

    def log(self, message: str, *values: Any) -> None:
        """Tell whoever follows the run."""
        logger.info(message, *values)

    # ------------------------------------------------------------ inside

    def _next_place(self) -> str:
        here = self._here
        here.steps += 1
        return f"{here.name}/{here.steps}"

    def _bind(self, subject: Subject, candidate: Candidate) -> Bindings:
        key = (subject.name, candidate.hash)
        found = self._bindings.get(key)
        if found is None:
            space = self.space if subject.program is self.student.program else None
            found = candidate.bindings(subject.program) if space is None else space.bindings(candidate)
            self._bindings[key] = found
        return found

    def _take(self, rollout: Rollout, subject: Subject, tell_trace: bool) -> None:
        """Remember a rollout, and what it says of its candidate."""
        with self._lock:
            self._rollouts[rollout.key] = rollout
            if (
                subject.name == self.student.name
                and not tell_trace
                and rollout.repeat == 0
                and rollout.counts
            ):
                self._candidates.setdefault(rollout.candidate.hash, rollout.candidate)
                scores = self.scores.setdefault(rollout.candidate.hash, {})
                scores[self.key_of(rollout.example)] = rollout.value

    def _show(self) -> None:
        """Move the progress line; what it says is worked out twice a second at most."""
        if self._progress is None:
            return
        text = None
        if clock.now() - self._told_at >= _TELL_SECONDS:
            self._told_at = clock.now()
            text = self._so_far()
        self._progress.advance(1, text)

    def _so_far(self) -> str:
        """The best so far with its interval, and what was spent."""
        spent = self.ledger.total
        told = f"{spent.lm_calls:,} calls" + (f", ${spent.cost:.2f}" if spent.cost else "")
        best = self.best_measured()
        if best is None:
            return told
        values = list(self.scores[best.hash].values())
        mean = sum(values) / len(values)
        half = 1.96 * (max(mean * (1 - mean), 0.0) / len(values)) ** 0.5
        low, high = max(0.0, mean - half), min(1.0, mean + half)
        return f"best {100 * mean:.1f} % [{100 * low:.0f}, {100 * high:.0f}], {told}"


class _Always(Metric):
    """No metric: every rollout that does not fail is good."""

    def __init__(self) -> None:
        self.metric = None
        self.takes = 3

    async def score(self, example: Any, prediction: Any, trace: Any = None) -> Any:
        return True


def _example_keys(examples: Sequence[Any]) -> dict[int, str]:
    """By identity: a hash of the content, and a number where different examples have the same content."""
    keys: dict[int, str] = {}
    seen: dict[str, int] = {}
    for example in examples:
        if id(example) in keys:
            continue
        content = stable_hash(example_data(example))[:32]
        number = seen[content] = seen.get(content, -1) + 1
        keys[id(example)] = content if number == 0 else f"{content}#{number}"
    return keys


def _value(outcome: Outcome[T]) -> T:
    if outcome.error is not None:
        raise outcome.error
    return outcome.value  # type: ignore[return-value]


def _answer(answer: Mapping[str, Any]) -> Any:
    if "error" in answer:
        raise AskFailed(answer["error"])
    return answer["value"]


def _asked(predictor: Any) -> Any:
    """What is asked, without the inputs: the leaves' classes, instructions and fields."""
    return [
        [name, type(leaf).__qualname__, leaf.signature.instructions, list(leaf.signature.fields)]
        for name, leaf in predictor.named_predictors()
    ]


def _completions(prediction: Any) -> list[dict[str, Any]]:
    """Every completion as plain values."""
    return [plain_values(dict(one.items())) for one in prediction.completions]


def _signature_of(predictor: Any) -> Any:
    """The signature whose outputs the answer has: the last leaf's."""
    return predictor.predictors()[-1].signature


_Table = Sequence[Sequence[Rollout | None]]


def _scores(table: _Table) -> list[list[float | None]]:
    """The scores that say something of their candidate."""
    return [[one.value if one is not None and one.counts else None for one in row] for row in table]


def _run(table: _Table) -> list[list[float | None]]:
    """What was run, whatever came of it: it is not run again."""
    return [[None if one is None else one.value for one in row] for row in table]


def _mean(rollouts: Sequence[Rollout | None]) -> float:
    values = [one.value for one in rollouts if one is not None and one.counts]
    return sum(values) / len(values) if values else 0.0
