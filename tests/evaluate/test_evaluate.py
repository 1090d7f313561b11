import asyncio
import json
import logging
import signal
import threading
import time

import pytest

import dspx
from dspx.core import progress
from dspx.core.progress import show_progress_with
from dspx.errors import EvaluationError, UsageError
from dspx.evaluate.evaluate import Evaluate
from tests.scripted import ScriptedLM, scripted


def devset(n=4):
    return [dspx.Example(question=f"q{i}", answer=str(i)).with_inputs("question") for i in range(n)]


class Echo(dspx.Module):
    """Answers q7 with 7; raises for the questions it was told to."""

    def __init__(self, broken=()):
        self.broken = broken

    def forward(self, question):
        if question in self.broken:
            raise ValueError("boom")
        return dspx.Prediction(answer=question[1:])


def exact(example, pred, trace=None):
    return example.answer == pred.answer


def odd(example, pred, trace=None):
    return int(pred.answer) % 2 == 1


def both_ways(evaluate, program, **asked):
    return evaluate(program, **asked), asyncio.run(evaluate.acall(program, **asked))


@pytest.mark.parametrize("threads", [1, 7])
def test_the_score_is_a_percentage_and_results_keep_the_order(threads):
    evaluate = Evaluate(devset=devset(9), metric=odd, num_threads=threads)
    for result in both_ways(evaluate, Echo()):
        assert result.score == 44.44
        assert [example.question for example, _, _ in result.results] == [f"q{i}" for i in range(9)]
        assert [prediction.answer for _, prediction, _ in result.results] == [str(i) for i in range(9)]
        assert [score for _, _, score in result.results] == [i % 2 == 1 for i in range(9)]
        assert result.complete
        assert not result.interrupted


def test_an_example_that_raises_counts_the_failure_score_and_is_an_error(caplog):
    evaluate = Evaluate(devset=devset(), metric=exact, failure_score=0.5, num_threads=1)
    for result in both_ways(evaluate, Echo(broken=("q3",))):
        assert result.score == 87.5  # DSPy counts it so too: (3 + 0.5) / 4
        assert result.results[3][1:] == (dspx.Prediction(), 0.5)
        assert (result.errors, result.score_without_errors) == (1, 100.0)
        assert result.error_rows[0].reason == "program failed: ValueError: boom"
    assert (
        "1 of 4 examples failed and count as 0.5 in the score of 87.5; without them it is 100" in caplog.text
    )


def test_a_metric_that_raises_or_says_nothing_is_an_error_with_the_prediction_kept():
    def broken(example, prediction):
        if example.answer == "0":
            raise KeyError("nope")
        return {"1": None, "2": float("nan"), "3": "high"}[example.answer]

    result = Evaluate(devset=devset(), metric=broken, max_errors=9)(Echo())
    assert [row.failed_in for row in result.rows] == ["metric"] * 4
    assert result.rows[0].prediction.answer == "0"
    reasons = [row.reason for row in result.rows]
    assert "KeyError: 'nope'" in reasons[0]
    assert "returned NoneType" in reasons[1]
    assert "nan" in reasons[2]
    assert "returned str" in reasons[3]


def test_too_many_errors_end_it_with_the_failures_and_what_was_measured():
    program = Echo(broken={f"q{i}" for i in range(2, 100)})
    evaluate = Evaluate(devset=devset(100), metric=exact, max_errors=3, num_threads=1)
    with pytest.raises(EvaluationError, match=r"3 of 100 .*max_errors=3.*ValueError: boom") as raised:
        evaluate(program)
    assert [example.question for example, _ in raised.value.failures] == ["q2", "q3", "q4"]
    assert isinstance(raised.value.__cause__, ValueError)
    assert (raised.value.result.n, raised.value.result.score, raised.value.result.complete) == (
        5,
        40.0,
        False,
    )
    with pytest.raises(EvaluationError):
        asyncio.run(evaluate.acall(program))


def test_the_settings_say_how_many_errors_are_too_many():
    with dspx.context(max_errors=1), pytest.raises(EvaluationError, match="max_errors=1"):
        Evaluate(devset=devset(), metric=exact)(Echo(broken=("q1",)))


def test_errors_are_logged_a_few_times_and_with_a_traceback_on_request(caplog):
    program = Echo(broken={f"q{i}" for i in range(50)})
    Evaluate(devset=devset(50), metric=exact, max_errors=99, num_threads=1)(program)
    told = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(told) == 11
    assert "provide_traceback=True" in told[0].getMessage()
    caplog.clear()
    Evaluate(devset=devset(1), metric=exact, max_errors=99, provide_traceback=True)(program)
    assert "in forward" in caplog.text


def test_metrics_may_be_async_or_modules_or_return_predictions():
    async def async_metric(example, prediction):
        await asyncio.sleep(0)
        return exact(example, prediction)

    class Judge(dspx.Module):
        async def aforward(self, example, prediction):
            return dspx.Prediction(score=0.5, feedback="so so")

    for metric, score in ((async_metric, 100.0), (Judge(), 50.0)):
        for result in both_ways(Evaluate(devset=devset(), metric=metric, num_threads=2), Echo()):
            assert result.score == score
    assert result.results[0][2].feedback == "so so"


def test_a_plain_function_can_be_the_program():
    def program(question):
        return {"answer": question[1:]}

    def metric(example, prediction):
        return prediction["answer"] == example.answer

    for result in both_ways(Evaluate(devset=devset(), metric=metric), program):
        assert result.score == 100.0


def test_what_the_call_says_goes_before_what_evaluate_was_made_with():
    evaluate = Evaluate(devset=devset(), metric=exact)
    result = evaluate(Echo(), metric=odd, devset=devset(2), num_threads=1)
    assert (result.score, result.n, result.metric_name) == (50.0, 2, "odd")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"devset": [], "metric": exact}, "devset must contain at least one example"),
        ({"devset": [{"question": "q"}], "metric": exact}, r"devset\[0\] is a dict"),
        (
            {"devset": [dspx.Example(question="q")], "metric": exact},
            r"does not say which of its fields are inputs",
        ),
        ({"devset": [dspx.Example(q=1).with_inputs("q")]}, "needs a metric"),
    ],
)
def test_what_cannot_work_is_said_before_anything_runs(arguments, message):
    with pytest.raises(UsageError, match=message):
        Evaluate(**arguments)(Echo())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("return_outputs", r"result\.results"),
        ("return_all_scores", "every score"),
        ("num_thread", "num_threads"),
    ],
)
def test_unknown_arguments_are_refused_with_what_to_write(name, message):
    with pytest.raises(UsageError, match=message):
        Evaluate(devset=devset(), metric=exact, **{name: True})


def test_repeats_run_the_devset_again_under_other_rollouts():
    program = dspx.Predict("question -> answer")
    evaluate = Evaluate(devset=devset(3), metric=exact, repeats=2, num_threads=1)
    with scripted(lambda signature, inputs, config: {"answer": str(config.get("rollout_id"))}):
        for result in both_ways(evaluate, program):
            assert [row.prediction.answer for row in result.rows] == ["None"] * 3 + ["1"] * 3
            assert [(row.index, row.repeat) for row in result.rows] == [
                (i, r) for r in (0, 1) for i in range(3)
            ]
            assert result.score == 16.67
            assert "(3 examples x 2)" in result.summary()
    assert program.config == {}


# ---------------------------------------------------------------- usage, callbacks, progress, files


class Asking(dspx.Module):
    def __init__(self, lm):
        self.language_model = [lm]

    def forward(self, question):
        self.language_model[0](question)
        return dspx.Prediction(answer=question[1:])


@pytest.mark.parametrize("threads", [1, 8])
def test_no_usage_is_lost_and_the_programs_is_told_from_the_metrics(threads):
    lm = ScriptedLM()

    def judging(example, prediction):
        return lm("right?") and lm("sure?") and True

    evaluate = Evaluate(devset=devset(20), metric=judging, num_threads=threads)
    with dspx.track_usage() as around:
        for result in both_ways(evaluate, Asking(lm)):
            assert result.usage["scripted"]["total_tokens"] == 20 * 3
            assert result.spent_by_metric.usage["scripted"]["total_tokens"] == 20 * 6
            assert {row.spent.calls for row in result.rows} == {1}
    assert around.total_tokens == 2 * 20 * 9


def test_tracked_usage_is_on_the_predictions():
    with dspx.context(track_usage=True):
        result = Evaluate(devset=devset(2), metric=exact, num_threads=2)(Asking(ScriptedLM()))
    assert result.results[1][1].get_lm_usage()["scripted"]["total_tokens"] == 3


def test_callbacks_hear_the_evaluation():
    heard = []

    class Recorder(dspx.BaseCallback):
        def on_evaluate_start(self, call_id, instance, inputs):
            heard.append((type(instance).__name__, inputs["callback_metadata"], inputs["devset"]))

        def on_evaluate_end(self, call_id, outputs, exception=None):
            heard.append(outputs.score)

    with dspx.context(callbacks=[Recorder()]):
        both_ways(Evaluate(devset=devset(), metric=exact), Echo(), callback_metadata={"step": 1})
    assert heard == [("Evaluate", {"step": 1}, None), 100.0] * 2


def test_progress_is_told_in_few_steps_that_add_up():
    lines = []

    class Line:
        def __init__(self, label, total):
            self.total, self.n, self.texts, self.closed = total, 0, [], False
            lines.append(self)

        def advance(self, n=1, text=None):
            self.n += n
            self.texts.append(text)

        def close(self):
            self.closed = True

    before = progress._show
    show_progress_with(Line)
    try:
        Evaluate(devset=devset(2000), metric=odd, display_progress=True, num_threads=2)(Echo())
        Evaluate(devset=devset(), metric=odd)(Echo())
    finally:
        show_progress_with(before)
    (line,) = lines
    assert (line.n, line.total, line.closed) == (2000, 2000, True)
    assert line.texts[-1] == "Average Metric: 1000.00 / 2000 (50.0%)"
    assert len(line.texts) < 50


def test_rows_are_shown_and_saved_on_request(tmp_path, capsys):
    evaluate = Evaluate(
        devset=devset(),
        metric=exact,
        display_table=2,
        save_as_csv=tmp_path / "rows.csv",
        save_as_json=tmp_path / "rows.json",
    )
    evaluate(Echo())
    assert "… 2 more rows" in capsys.readouterr().out
    assert (tmp_path / "rows.csv").read_text().splitlines()[0] == "question,example_answer,pred_answer,exact"
    assert json.loads((tmp_path / "rows.json").read_text())[1] == {
        "question": "q1",
        "example_answer": "1",
        "pred_answer": "1",
        "exact": True,
    }


# ---------------------------------------------------------------- stopping, nesting, size


@pytest.mark.parametrize("threads", [1, 4])
def test_ctrl_c_gives_the_result_of_what_is_done(threads, caplog):
    class Interrupted(Echo):
        def forward(self, question):
            if question == "q30":
                raise KeyboardInterrupt
            return super().forward(question)

    result = Evaluate(devset=devset(1000), metric=exact, num_threads=threads)(Interrupted())
    assert result.interrupted
    assert not result.complete
    assert 20 <= result.n < 1000
    assert result.score == 100.0
    assert f"Interrupted after {result.n} of 1000 examples" in caplog.text


def test_ctrl_c_before_anything_is_done_is_raised():
    class Interrupted(dspx.Module):
        def forward(self, question):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Evaluate(devset=devset(), metric=exact, num_threads=1)(Interrupted())


def test_cancelling_an_async_evaluation_cancels_its_programs():
    cancelled = []

    class Slow(dspx.Module):
        async def aforward(self, question):
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                cancelled.append(question)
                raise

    async def main():
        await asyncio.wait_for(Evaluate(devset=devset(3), metric=exact, num_threads=3).acall(Slow()), 0.05)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(main())
    assert sorted(cancelled) == ["q0", "q1", "q2"]


def test_hundreds_are_in_flight_at_once():
    at_work, most = 0, 0

    class Waiting(dspx.Module):
        async def aforward(self, question):
            nonlocal at_work, most
            at_work += 1
            most = max(most, at_work)
            await asyncio.sleep(0.02)
            at_work -= 1
            return dspx.Prediction(answer=question[1:])

    started = time.perf_counter()
    result = asyncio.run(Evaluate(devset=devset(900), metric=exact, num_threads=300).acall(Waiting()))
    assert result.score == 100.0
    assert most == 300
    assert time.perf_counter() - started < 5


def test_an_evaluation_inside_a_metric_inside_an_evaluation_ends():
    inner = Evaluate(devset=devset(3), metric=exact, num_threads=3)
    lm = ScriptedLM()

    def nested(example, prediction):
        return inner(Asking(lm)).score / 100

    async def nested_async(example, prediction):
        return (await inner.acall(Asking(lm))).score / 100

    for metric in (nested, nested_async):
        with dspx.track_usage() as usage:
            for result in both_ways(Evaluate(devset=devset(8), metric=metric, num_threads=64), Echo()):
                assert result.score == 100.0
        assert usage.total_tokens == 2 * 8 * 3 * 3


def test_it_works_inside_a_running_loop():
    async def notebook_cell():
        return Evaluate(devset=devset(), metric=exact, num_threads=4)(Echo())

    assert asyncio.run(notebook_cell()).score == 100.0


def test_settings_reach_the_program_and_the_metric_in_any_thread():
    class Reading(dspx.Module):
        def forward(self, question):
            return dspx.Prediction(answer=dspx.settings.flavour)

    def metric(example, prediction):
        return prediction.answer == dspx.settings.flavour == "salt"

    with dspx.context(flavour="salt"):
        for result in both_ways(Evaluate(devset=devset(20), metric=metric, num_threads=5), Reading()):
            assert result.score == 100.0


def test_an_executor_runs_the_examples_elsewhere():
    class Elsewhere:
        async def fan_out(self, fn, items, *, workers, on_done, stop):
            from dspx.runtime.fanout import Outcome

            for place in items:
                value = await fn(place) if place != 2 else None
                error = RuntimeError("the worker was lost") if place == 2 else None
                on_done(Outcome(place, value, error, started=True, seconds=1.0))

    result = Evaluate(devset=devset(), metric=exact, executor=Elsewhere())(Echo())
    assert (result.score, result.errors) == (75.0, 1)
    assert result.error_rows[0].reason == "program failed: RuntimeError: the worker was lost"


def test_a_real_ctrl_c_leaves_work_behind_that_changes_nothing_anymore():
    gate = threading.Event()

    class Late(Echo):
        def forward(self, question):
            if question == "q1":
                gate.wait(2)
            if question == "q2":
                time.sleep(0.05)  # the main thread is waiting by now
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
                gate.wait(2)
            return super().forward(question)

    started = time.perf_counter()
    result = Evaluate(devset=devset(3), metric=exact, num_threads=3)(Late())
    assert time.perf_counter() - started < 1
    gate.set()
    time.sleep(0.02)
    assert result.interrupted
    assert [row.index for row in result.rows] == [0]


def test_the_package_gives_the_names_that_dspys_does():
    import dspx.evaluate as package

    for name in (
        "Evaluate",
        "EvaluationResult",
        "SemanticF1",
        "CompleteAndGrounded",
        "EM",
        "answer_exact_match",
    ):
        assert getattr(package, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        package.nonsense
