import asyncio

import pytest

import dspx
from dspx.core.calls import entrance, overrides
from dspx.runtime.bridge import run


class Plain(dspx.Module):
    def forward(self, x):
        return ["forward", x]


class OwnCall(Plain):
    def __call__(self, *args, **kwargs):
        return ["call", *super().__call__(*args, **kwargs)]


class OwnAcall(Plain):
    async def acall(self, *args, **kwargs):
        await asyncio.sleep(0)
        return ["acall", *await super().acall(*args, **kwargs)]


class Both(OwnCall, OwnAcall):
    pass


async def awaited(thing, *args, **kwargs):
    return await entrance(thing)(*args, **kwargs)


def both_ways(thing):
    return [run(awaited(thing, x=1)), asyncio.run(awaited(thing, x=1))]


def test_a_program_that_overrides_nothing_is_called_by_its_acall():
    assert not overrides(Plain)
    assert both_ways(Plain()) == [["forward", 1]] * 2


def test_an_overridden_call_is_gone_through():
    assert both_ways(OwnCall()) == [["call", "forward", 1]] * 2


def test_an_overridden_acall_is_for_async_calls_and_may_really_wait():
    assert both_ways(OwnAcall()) == [["forward", 1], ["acall", "forward", 1]]
    assert OwnAcall()(x=1) == ["forward", 1]


def test_of_both_each_kind_of_call_goes_through_its_own():
    assert both_ways(Both()) == [["call", "forward", 1], ["acall", "forward", 1]]


@pytest.mark.parametrize("function", [lambda x: ["function", x], dspx.Parallel])
def test_anything_callable_has_an_entrance(function):
    if function is dspx.Parallel:
        pairs = [(Plain(), {"x": 1})]
        assert run(awaited(function(disable_progress_bar=True), pairs)) == [["forward", 1]]
    else:
        assert both_ways(function) == [["function", 1]] * 2


def test_batch_parallel_evaluate_and_best_of_n_go_through_an_overridden_call():
    class Counted(dspx.Module):
        calls = 0

        def __call__(self, **kwargs):
            self.calls += 1
            return super().__call__(**kwargs)

        def forward(self, x):
            return dspx.Prediction(y=x)

    program = Counted()
    devset = [dspx.Example(x=1).with_inputs("x")]
    program.batch(devset, disable_progress_bar=True)
    dspx.Parallel(disable_progress_bar=True)([(program, devset[0])])
    dspx.Evaluate(devset=devset, metric=lambda example, prediction, trace=None: 1)(program)
    dspx.BestOfN(program, N=1, reward_fn=lambda args, prediction: 1.0, threshold=0.5)(x=1)
    assert program.calls == 4
