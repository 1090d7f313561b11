"""The comparison of optimizers: budgets, targets, tables. What the optimizers come to is not asked here."""

from __future__ import annotations

import pytest

from benchmarks.optimizers.aa import AARow
from benchmarks.optimizers.bench import Bench
from benchmarks.optimizers.plans import PLANS, Plan
from benchmarks.optimizers.run import Row, cpu_per_rollout, recorded, run
from benchmarks.optimizers.table import fill, render, render_aa
from dspx.testing import SimulatedTask


def _result(score: float, calls: int = 100, **more: object) -> dict[str, object]:
    return {
        "true_score": score,
        "before": 0.24,
        "lm_calls": calls,
        "tokens": 200 * calls,
        "rollouts": calls,
        "cpu": 1.0,
        "lm_cpu": 0.5,
        "gain": None,
        **more,
    }


def _row(dspy: list[float], dspx: dict[float, list[float]], plan: Plan = PLANS["mipro"]) -> Row:
    return Row(
        plan,
        [_result(score) for score in dspy],
        {part: [_result(score, int(100 * part)) for score in scores] for part, scores in dspx.items()},
    )


def test_a_plan_runs_on_dspx_and_is_measured() -> None:
    (row,) = run([PLANS["labeled"]], 2, ("dspx",), keep=False)
    assert [result["lm_calls"] for result in row.ours] == [0, 0]
    assert all(result["true_score"] > result["before"] for result in row.ours)


def test_an_optimizer_that_dspx_lacks_is_reported_and_no_failure() -> None:
    missing = Plan("labeled", "Nothing", lambda bench: bench.optimizer("NoSuchOptimizer"))
    with pytest.raises(LookupError, match="NoSuchOptimizer yet"):
        missing.compile(Bench("dspx", SimulatedTask(0), {}, 0))


def test_what_the_simulated_lm_took_is_counted_apart() -> None:
    bench = Bench("dspx", SimulatedTask(0, test=10), {}, 0)
    with bench.api.context(lm=bench.lm):
        for _ in range(2):
            bench.student(message=bench.train[0].message)
    assert (bench.meter.calls, bench.meter.asked) == (1, 2)
    assert bench.meter.seconds > 0


def test_tokens_are_counted_once_for_equal_requests() -> None:
    bench = Bench("dspx", SimulatedTask(0, test=10), {}, 0)
    with bench.api.context(lm=bench.lm):
        bench.student(message=bench.train[0].message)
        sent = bench.meter.tokens
        bench.student(message=bench.train[0].message)
        assert bench.meter.tokens == sent > 100
        bench.student.predict.demos = bench.train[:4]
        bench.student(message=bench.train[0].message)
    assert bench.meter.tokens > 2 * sent


def test_better_means_beyond_twice_the_standard_error_of_the_pairs() -> None:
    assert _row([0.5, 0.6], {1.0: [0.6, 0.7]}).met is True
    assert _row([0.5, 0.6], {1.0: [0.4, 0.8]}).met is False
    assert _row([0.5, 0.6], {1.0: [0.4, 0.8]}, PLANS["copro"]).met is True
    assert _row([0.5, 0.6], {1.0: [0.4, 0.5]}, PLANS["copro"]).met is False
    assert _row([0.5, 0.6], {}).met is None


def test_calls_to_match_lie_between_the_parts_tried() -> None:
    row = _row([0.6, 0.6], {0.25: [0.5, 0.5], 0.5: [0.7, 0.7], 1.0: [0.8, 0.8]})
    assert row.calls_to_match == pytest.approx(37.5)
    assert _row([0.9, 0.9], {0.5: [0.7, 0.7], 1.0: [0.8, 0.8]}).calls_to_match is None


def test_the_lm_has_no_part_in_the_cpu_of_a_rollout() -> None:
    assert cpu_per_rollout([_result(0.5, 100)]) == pytest.approx(0.005)
    assert cpu_per_rollout([_result(0.5, 0)]) is None


def test_the_table_shows_both_sides_and_the_page_is_filled_again_and_again() -> None:
    row = _row([0.5, 0.6], {0.5: [0.6, 0.7], 1.0: [0.6, 0.7]})
    assert "55.0 ± 5.0" in render([row])
    page = "Before\n<!-- optimizers -->\nold\n<!-- end -->\nAfter\n"
    filled = fill(page, [row])
    assert "| MIPROv2, heavy | 55.0 ± 5.0 | 100 | 20 k | 65.0 ± 5.0 |" in filled
    assert "old" not in filled
    assert fill(filled, [row]) == filled
    row.first = 500
    assert fill(filled, [row]) == filled
    assert "55.0" in fill("<!-- optimizers from seed 500 --><!-- end -->", [row])


def test_an_aa_row_counts_the_gains_that_are_not_there() -> None:
    gains = [{"points": 9.0, "low": 1.0, "high": 17.0}, {"points": 2.0, "low": -5.0, "high": 9.0}, None]
    row = AARow("an optimizer", [_result(0.24, gain=gain) for gain in gains])
    assert row.share_above_zero == pytest.approx(2 / 3)
    assert row.share_excluding == pytest.approx(1 / 3)
    assert "33 %" in render_aa([row])
    assert "not yet" in render_aa([AARow("another")])


@pytest.mark.parametrize("part", ["plans", "plans from seed 500"])
def test_dspys_figures_are_on_record_for_ten_seeds(part: str) -> None:
    known = recorded(part)
    for plan in PLANS.values():
        if not plan.rival:
            assert len(known[plan.name]) == 10, plan.name
            assert all("tokens" in result for result in known[plan.name])
