"""What a search may rely on: the study's own promises, seen through small searches."""

from __future__ import annotations

import pytest

import dspx
from dspx.core.progress import show_progress_with
from dspx.errors import EvaluationError, LMServerError
from dspx.runtime import clock
from dspx.store import Store
from dspx.testing.optimizer_conformance import PromptedLM, Routing, examples, right


class Searching(dspx.Optimizer):
    """An optimizer that is a function of the study."""

    checks = False

    def __init__(self, body, metric=right):
        self.body = body
        self.metric = metric

    async def search(self, study):
        await self.body(study)


def compiled(body, lm=None, metric=right, **options):
    with dspx.context(lm=lm or PromptedLM(), num_threads=2):
        return Searching(body, metric).compile(Routing(), trainset=examples(12), **options)


def test_what_was_measured_is_not_run_again():
    seen = []

    async def body(study):
        first = await study.evaluate(study.baseline)
        again = await study.evaluate(study.baseline, study.valset[:5])
        seen.append((first.rollouts[:5] == again.rollouts, study.rollouts_run))

    compiled(body)
    assert seen == [(True, 12)]


def test_branches_draw_from_chance_of_their_own_whoever_is_faster():
    drawn = []

    async def body(study):
        async def branch():
            await study.evaluate(study.baseline, [study.rng.choice(study.valset)])
            return study.rng.random()

        drawn.append([*await study.gather([branch] * 6), study.rng.random()])

    for workers in (1, 6):
        compiled(body, num_threads=workers)
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 7


class Slow(PromptedLM):
    async def generate(self, request):
        await clock.sleep(0.01)
        return await super().generate(request)


def test_what_several_branches_want_is_run_and_paid_for_once():
    seen = []

    async def body(study):
        async def branch():
            return await study.evaluate(study.baseline)

        measured = await study.gather([branch] * 6)
        seen.append((len({one.score for one in measured}), study.rollouts_run))

    for workers in (1, 6):
        report = compiled(body, Slow(), num_threads=workers, budget=dspx.Budget(rollouts=12)).report
        assert report.stopped_by is None
        assert report.spent.rollouts == 12
    assert seen == [(1, 12), (1, 12)]


def test_a_race_finds_the_better_candidate_with_fewer_rollouts():
    spent = []

    async def body(study):
        names = [f"Route. Variant {i}." for i in range(8)]
        candidates = [study.baseline.with_instructions({"topic": name}) for name in names]
        ranked = await study.select(candidates, examples(96, start=300))
        spent.append(study.rollouts_run)
        assert ranked[0].mean == max(one.mean for one in ranked if len(one) == 96)

    compiled(body)
    assert 8 * 8 <= spent[0] <= 8 * 96


def test_the_student_stays_in_a_race_until_it_is_surely_behind():
    run = []

    async def body(study):
        names = [f"Route. Variant {i}." for i in range(8)]
        others = [study.baseline.with_instructions({"topic": name}) for name in names]
        ranked = await study.select([study.baseline, *others], examples(96, start=300))
        lengths = {one.candidate: len(one) for one in ranked}
        run.append((lengths[study.baseline], min(lengths.values())))

    compiled(body)
    assert run[0][0] == 96 > run[0][1]


class Failing(PromptedLM):
    """The endpoint is away for every question after the first few."""

    def __init__(self, answers):
        super().__init__()
        self.answers = answers

    async def generate(self, request):
        if self.calls >= self.answers:
            self.calls += 1
            raise LMServerError("the endpoint is away", model=self.model)
        return await super().generate(request)


def test_an_outage_is_an_error_and_the_run_goes_on_once_it_is_over():
    async def body(study):
        study.max_errors = 3
        await study.evaluate(study.baseline)

    with Store("memory://") as store:
        with pytest.raises(EvaluationError, match="something other than the candidates is wrong"):
            compiled(body, Failing(8), store=store, run_id="r", num_threads=1)
        assert store.runs.find("r").status == "failed"
        lm = PromptedLM()
        report = compiled(body, lm, store=store, run_id="r", num_threads=1).report
        assert report.replayed == 4  # two calls each
        assert lm.calls == 16
        assert store.runs.find("r").status == "completed"


def test_a_failure_of_the_endpoint_says_nothing_of_a_candidate():
    found = []

    async def body(study):
        measured = await study.evaluate(study.baseline, study.valset[:4])
        found.append((len(measured), len(measured.values), measured.failures[0].by_endpoint))

    compiled(body, Failing(6), num_threads=1)
    assert found == [(4, 3, True)]


def test_a_failure_of_the_program_counts_as_nothing_right():
    def strict(example, prediction, trace=None):
        if example.label == "loans":
            raise ValueError("no such label")
        return True

    found = []

    async def body(study):
        measured = await study.evaluate(study.baseline)
        found.append(measured.mean)
        assert {str(failure) for failure in measured.failures} == {"metric failed: ValueError: no such label"}

    compiled(body, metric=strict)
    assert found == [pytest.approx(8 / 12)]


def test_a_judge_is_charged_to_the_budget_under_its_own_name():
    judge = dspx.Predict("text -> verdict")

    def metric(example, prediction, trace=None):
        return bool(judge(text=example.text).verdict)

    async def body(study):
        await study.evaluate(study.baseline)

    report = compiled(body, metric=metric).report
    assert report.spent_on["program"].lm_calls == 24
    assert report.spent_on["judge"].lm_calls == 12
    lm = PromptedLM()
    stopped = compiled(body, lm, metric=metric, budget=dspx.Budget(lm_calls=20)).report
    assert stopped.stopped_by == "the budget of lm_calls is spent"
    assert lm.calls <= 20


def test_a_program_that_swallows_the_refusal_does_not_count():
    class Careless(dspx.Module):
        def __init__(self):
            self.ask = dspx.Predict("text -> label")

        def forward(self, text):
            try:
                return self.ask(text=text)
            except Exception:
                return dspx.Prediction(label="cards")

    async def body(study):
        await study.evaluate(study.baseline)

    with dspx.context(lm=PromptedLM()):
        report = (
            Searching(body)
            .compile(Careless(), trainset=examples(12), budget=dspx.Budget(lm_calls=5), num_threads=1)
            .report
        )
    assert report.rollouts == 5
    assert report.stopped_by


def test_the_progress_line_says_the_best_its_interval_and_what_was_spent():
    told = []

    class Line:
        def __init__(self, label, total):
            told.append((label, total))

        def advance(self, n=1, text=None):
            if text:
                told.append(text)

        def close(self):
            told.append("closed")

    show_progress_with(Line)
    try:
        with dspx.context(lm=PromptedLM(), num_threads=2):
            dspx.BootstrapRS(right, num_candidate_programs=2).compile(Routing(), trainset=examples(12))
    finally:
        show_progress_with(None)
    assert told[0][0] == "BootstrapFewShotWithRandomSearch"
    assert told[0][1] > 12
    assert any("calls" in text for text in told[1:-1])
    assert told[-1] == "closed"


def test_an_option_that_the_search_has_not_is_refused_with_those_it_has():
    async def body(study):
        """Nothing."""

    with pytest.raises(dspx.UsageError, match=r"has no argument num_trails; it takes .*seed"):
        compiled(body, num_trails=3)


def test_lineage_tells_where_a_candidate_came_from():
    async def body(study):
        child = study.baseline.with_instructions({"topic": "Name the topic."})
        study.adopt(study.propose(child, "by hand", study.baseline))

    report = compiled(body).report
    first, second = report.lineage
    assert first.how == "the student as given"
    assert (second.how, second.parents) == ("by hand", (first.candidate.hash,))
