import asyncio

import pytest

import dspx
from dspx.errors import EvaluationError, UsageError
from dspx.modules.parallel import Parallel


class Double(dspx.Module):
    def forward(self, x):
        if x == 3:
            raise ValueError("no threes")
        return x * 2


def pairs(*values):
    return [(Double(), dspx.Example(x=x).with_inputs("x")) for x in values]


def both_ways(parallel, exec_pairs, **kwargs):
    return parallel(exec_pairs, **kwargs), asyncio.run(parallel.acall(exec_pairs, **kwargs))


@pytest.mark.parametrize("threads", [1, 4])
def test_results_keep_the_order_and_failures_are_none(threads):
    for found in both_ways(Parallel(num_threads=threads), pairs(0, 1, 3, 5)):
        assert found == [0, 2, None, 10]


def test_every_form_of_arguments_is_taken():
    inner = Parallel(disable_progress_bar=True)
    exec_pairs = [
        (Double(), {"x": 1}),
        (Double(), (2,)),
        (lambda x: x, dspx.Example(x=4, y=5).with_inputs("x")),
        (inner, pairs(1, 2)),
    ]
    for found in both_ways(Parallel(), exec_pairs):
        assert found == [2, 4, 4, [2, 4]]
    whole = dspx.Example(x=1).with_inputs("x")
    assert Parallel(access_examples=False)([(lambda example: example, whole)]) == [whole]


def test_another_form_is_an_error_of_that_pair_alone():
    results, failed, errors = Parallel(return_failed_examples=True)([(Double(), 7), (Double(), (1,))])
    assert (results, failed) == ([None, 2], [7])
    assert isinstance(errors[0], UsageError)


def test_failed_examples_are_those_of_this_call():
    parallel = Parallel(return_failed_examples=True)
    for found in (parallel(pairs(1, 3)), parallel(pairs(1, 3)), asyncio.run(parallel.acall(pairs(1, 3)))):
        results, failed, errors = found
        assert results == [2, None]
        assert [example.x for example in failed] == [3]
        assert [str(error) for error in errors] == ["no threes"]


def test_too_many_errors_end_it():
    for run in (lambda p, e: p(e), lambda p, e: asyncio.run(p.acall(e))):
        with pytest.raises(EvaluationError, match="no threes") as raised:
            run(Parallel(max_errors=2, num_threads=1), pairs(3, 3, 3))
        assert len(raised.value.failures) == 2


def test_a_pair_that_takes_too_long_is_cancelled_in_async_code():
    class Slow(dspx.Module):
        async def aforward(self, x):
            await asyncio.sleep(x)
            return x

    found = asyncio.run(Parallel(timeout=0.05).acall([(Slow(), (0,)), (Slow(), (5,))]))
    assert found == [0, None]


def test_the_call_may_say_how_many_threads():
    assert Parallel(num_threads=4)(pairs(1, 2), num_threads=1) == [2, 4]
    assert Parallel().forward(pairs(1)) == [2]
