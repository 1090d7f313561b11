import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dspx
from dspx.core.budget import Budget, Spending, purpose
from dspx.errors import BudgetExhausted, UsageError
from dspx.runtime import clock
from dspx.runtime.bridge import run
from dspx.runtime.fanout import bind_context


class Counting(dspx.BaseLM):
    """Answers at once, with a usage of its own choosing."""

    def __init__(self, tokens=10):
        super().__init__("counting", max_tokens=50)
        self.tokens = tokens
        self.calls = 0

    def forward(self, prompt=None, messages=None, **kwargs):
        self.calls += 1
        return {
            "choices": [{"message": {"content": "yes"}}],
            "usage": {"prompt_tokens": 4, "completion_tokens": self.tokens - 4, "total_tokens": self.tokens},
        }


def ask(lm, times):
    for _ in range(times):
        lm("Is it?")


def test_the_call_that_does_not_fit_is_not_made():
    lm = Counting()
    with Budget(lm_calls=3).spending() as spent:
        for _ in range(3):
            lm("Is it?")
        with pytest.raises(BudgetExhausted, match="3 LM calls is spent") as caught:
            lm("Is it?")
    assert lm.calls == 3
    assert spent.total.lm_calls == 3
    assert spent.total.tokens == 30
    assert spent.exhausted == caught.value.limit == "lm_calls"


def test_outside_a_budget_nothing_is_counted():
    lm = Counting()
    for _ in range(5):
        lm("Is it?")
    assert lm.calls == 5


def test_what_a_call_did_not_take_is_given_back():
    lm = Counting(tokens=10)
    with Budget(tokens=200).spending() as spent:
        while spent.left["tokens"] >= 80:  # a call reserves its prompt and 50 tokens of answer
            lm("Is it?")
        assert spent.total.tokens > 100
        with pytest.raises(BudgetExhausted):
            ask(lm, 100)
    assert spent.total.tokens <= 200


def test_an_inner_budget_counts_in_the_outer_one():
    lm = Counting()
    with Budget(lm_calls=3).spending() as outer:
        with Budget(lm_calls=2).spending(), pytest.raises(BudgetExhausted):
            ask(lm, 5)
        lm("Is it?")
        with pytest.raises(BudgetExhausted):
            lm("Is it?")
    assert outer.total.lm_calls == lm.calls == 3


def test_spending_is_told_by_purpose():
    lm = Counting()
    with Budget().spending() as spent:
        lm("Is it?")
        with purpose.using("judge"):
            lm("Is it?")
            lm("Is it?")
    assert {name: part.lm_calls for name, part in spent.by_purpose.items()} == {"program": 1, "judge": 2}


def test_nothing_begins_after_the_time_is_over():
    with clock.use(clock.FakeClock()) as time, Budget(seconds=10).spending():
        lm = Counting()
        lm("Is it?")
        run(time.sleep(11))
        with pytest.raises(BudgetExhausted, match="10 seconds"):
            lm("Is it?")


def test_a_failed_attempt_is_a_call_too():
    class Broken(dspx.BaseLM):
        def forward(self, prompt=None, messages=None, **kwargs):
            raise RuntimeError("no")

    with Budget(lm_calls=5).spending() as spent, pytest.raises(RuntimeError):
        Broken("broken")("Is it?")
    assert spent.total.lm_calls == 1


@pytest.mark.parametrize("limits", [{"lm_calls": -1}, {"cost": float("nan")}, {"tokens": float("inf")}])
def test_a_limit_that_is_none_is_refused(limits):
    with pytest.raises(UsageError, match="a limit is a number from 0"):
        Budget(**limits)


@settings(max_examples=30, deadline=None)
@given(
    limit=st.integers(0, 300),
    takes=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=40),
    workers=st.integers(1, 8),
)
def test_no_interleaving_of_threads_spends_more(limit, takes, workers):
    with Budget(tokens=limit).spending() as spent:

        def one(take):
            most, share = max(take), min(take)
            try:
                hold = run(spent.reserve(Spending(tokens=most)))
            except BudgetExhausted:
                return 0
            hold.settle(Spending(tokens=share))
            return share

        with ThreadPoolExecutor(workers) as pool:
            taken = list(pool.map(bind_context(one), takes))
    assert sum(taken) == spent.total.tokens <= limit


@settings(max_examples=20, deadline=None)
@given(limit=st.integers(0, 12), calls=st.integers(0, 30))
def test_no_interleaving_of_tasks_spends_more(limit, calls):
    lm = Counting()

    async def main():
        with Budget(lm_calls=limit).spending():
            return await asyncio.gather(*(lm.acall("?") for _ in range(calls)), return_exceptions=True)

    answers = asyncio.run(main())
    assert lm.calls == min(limit, calls)
    assert all(answer == ["yes"] or isinstance(answer, BudgetExhausted) for answer in answers)


def test_a_call_waits_for_what_others_reserved_and_may_not_take():
    with Budget(tokens=100).spending() as spent:
        first = run(spent.reserve(Spending(tokens=80)))
        with ThreadPoolExecutor(1) as pool:
            second = pool.submit(lambda: run(spent.reserve(Spending(tokens=50))))
            assert not second.done()
            first.settle(Spending(tokens=10))
            second.result(timeout=10).settle(Spending(tokens=50))
    assert spent.total.tokens == 60
