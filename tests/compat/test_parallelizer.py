import pytest

import dspx
from dspx.compat.parallelizer import ParallelExecutor


def test_results_keep_the_order_and_failures_are_none_and_kept():
    executor = ParallelExecutor(num_threads=4, disable_progress_bar=True)
    assert executor.execute(lambda x: 10 // x, [1, 2, 0, 5]) == [10, 5, None, 2]
    assert executor.failed_indices == [2]
    assert type(executor.exceptions_map[2]) is ZeroDivisionError


def test_too_many_failures_raise():
    with pytest.raises(dspx.EvaluationError):
        ParallelExecutor(num_threads=1, max_errors=1, disable_progress_bar=True).execute(
            lambda x: 1 // x, [0, 0]
        )
