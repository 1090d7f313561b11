import asyncio
import copy
import pickle

import pytest

import dspx
from dspx.evaluate.result import EvaluationResult
from dspx.evaluate.row import Row, Spent


def made(scores, **facts):
    rows = [
        Row(i, 0, dspx.Example(q=i, answer=i), dspx.Prediction(answer=i), score, float(score), seconds=i / 10)
        for i, score in enumerate(scores)
    ]
    return EvaluationResult.of(rows, **facts)


def failed(index):
    return Row(
        index,
        0,
        dspx.Example(q=index),
        dspx.Prediction(),
        0.0,
        0.0,
        ValueError("boom"),
        "program",
        seconds=9.0,
    )


def test_a_result_made_as_dspy_makes_it_knows_the_rest():
    pairs = [(dspx.Example(q=1), dspx.Prediction(a=1), True), (dspx.Example(q=2), dspx.Prediction(a=2), 0.5)]
    result = EvaluationResult(75.0, pairs)
    assert (result.score, result["score"], result.results) == (75.0, 75.0, pairs)
    assert result.keys() == ["score", "results"]
    assert float(result) == 75.0
    assert (result.n, result.errors, result.complete) == (2, 0, True)
    assert [row.value for row in result.rows] == [1.0, 0.5]


def test_the_score_is_a_percentage_of_two_decimals_with_an_interval_in_percent():
    result = made([True, True, False])
    assert result.score == 66.67
    assert result.ci95 == (20.77, 93.85)
    assert made([True, True, False]).ci95 == result.ci95


def test_errors_are_told_apart_from_zeros():
    result = EvaluationResult.of([*made([1, 0, 1]).rows, failed(3)])
    assert result.score == 50.0
    assert (result.errors, result.n, result.score_without_errors) == (1, 4, 66.67)
    assert result.error_rows[0].reason == "program failed: ValueError: boom"
    assert "1 failed and count as 0; without failures the score is 66.67 %" in result.summary()


def test_latency_leaves_out_rows_in_which_the_program_raised():
    result = EvaluationResult.of([*made([1] * 11).rows, failed(11)])
    assert result.latency.p50 == 0.5
    assert result.latency.p99 == pytest.approx(0.99)
    assert EvaluationResult.of([failed(0)]).latency is None


def test_usage_and_cost_add_up_over_the_rows():
    used = {"m": {"prompt_tokens": 3, "total_tokens": 5, "details": {"cached": 1}}}
    rows = [
        Row(i, 0, dspx.Example(q=i), dspx.Prediction(), 1, 1.0, spent=Spent(used, cost, 2, 1))
        for i, cost in enumerate([0.5, None, 0.25])
    ]
    result = EvaluationResult.of(rows)
    assert result.usage == {"m": {"prompt_tokens": 9, "total_tokens": 15, "details": {"cached": 3}}}
    assert (result.cost, result.spent.calls, result.spent.cache_hits) == (0.75, 6, 3)
    assert result.metric_cost is None
    assert "program: 6 LM calls, 3 cache hits, 15 tokens, $0.7500" in str(result)


def test_it_shows_itself_in_a_line_in_a_few_and_as_html():
    result = made([1, 0, 1, 1], metric_name="exact")
    assert (
        repr(result) == "EvaluationResult(score=75.0, ci95=(30.06, 95.44), n=4, results=<list of 4 results>)"
    )
    assert str(result).startswith("exact: 75 %, 95 % sure between 30.06 and 95.44 (4 examples)")
    assert "<table" in result._repr_html_()


def test_another_metric_judges_the_same_predictions_without_the_program():
    result = EvaluationResult.of([*made([1, 1, 1]).rows, failed(3)])

    def even(example, prediction):
        return prediction.answer % 2 == 0

    for other in (result.rescore(even), asyncio.run(result.arescore(even))):
        assert [row.value for row in other.rows] == [1.0, 0.0, 1.0, 0.0]
        assert (other.score, other.errors, other.metric_name) == (50.0, 1, "even")
    assert result.score == 75.0


def test_a_metric_that_fails_while_rescoring_is_an_error_and_can_be_mended():
    broken = made([1, 1]).rescore(lambda example, prediction: 1 / prediction.answer)
    assert broken.error_rows[0].reason == "metric failed: ZeroDivisionError: division by zero"
    assert broken.rescore(lambda example, prediction: 1).score == 100.0


def test_copies_and_pickles_are_whole():
    result = made([1, 0])
    for copied in (copy.copy(result), copy.deepcopy(result), pickle.loads(pickle.dumps(result))):  # noqa: S301
        assert (copied.score, copied.n, copied.ci95) == (result.score, 2, result.ci95)


def test_pandas_is_only_needed_for_a_dataframe(monkeypatch):
    import sys
    import types

    monkeypatch.setitem(sys.modules, "pandas", types.SimpleNamespace(DataFrame=lambda rows: ("frame", rows)))
    assert made([1], metric_name="m").to_pandas() == (
        "frame",
        [{"q": 0, "example_answer": 0, "pred_answer": 0, "m": 1}],
    )
