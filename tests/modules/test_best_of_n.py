import asyncio

import pytest

import dspx
from dspx.core.candidate import bound
from dspx.errors import UsageError
from dspx.modules.best_of_n import BestOfN
from dspx.modules.rollout import another_rollout
from tests.scripted import ScriptedLM, scripted


def by_rollout(*answers):
    """Each attempt gets the next of these answers; an exception is raised."""

    def answer(signature, inputs, config):
        found = answers[config.get("rollout_id", 0) % len(answers)]
        if isinstance(found, Exception):
            raise found
        return {"answer": found}

    return scripted(answer)


def length(inputs, prediction):
    return len(prediction.answer) / 10


def both_ways(module, **inputs):
    return module(**inputs), asyncio.run(module.acall(**inputs))


def asked():
    return len(dspx.settings.adapter.calls)


def test_the_attempt_with_the_highest_reward_is_kept():
    with by_rollout("xx", "xxxx", "x"):
        for said in both_ways(BestOfN(dspx.Predict("q -> answer"), 3, length, threshold=1.0), q="?"):
            assert said.answer == "xxxx"
        assert asked() == 6


def test_a_good_enough_attempt_is_the_last():
    with by_rollout("xx", "xxxx", "xxxxxxxx"):
        for said in both_ways(BestOfN(dspx.Predict("q -> answer"), 3, length, threshold=0.4), q="?"):
            assert said.answer == "xxxx"
        assert asked() == 4


def test_attempts_ask_under_their_own_rollout_at_temperature_one():
    with by_rollout("x"):
        BestOfN(dspx.Predict("q -> answer"), 2, length, threshold=1.0)(q="?")
        BestOfN(dspx.Predict("q -> answer", temperature=0.3), 1, length, threshold=1.0)(q="?")
        configs = [call["config"] for call in dspx.settings.adapter.calls]
    assert configs == [
        {"rollout_id": 0, "temperature": 1.0},
        {"rollout_id": 1, "temperature": 1.0},
        {"rollout_id": 0, "temperature": 0.3},
    ]


def test_the_program_and_its_lm_are_as_they_were_and_not_copied():
    lm, program = ScriptedLM(), dspx.Predict("q -> answer")
    program.lm = lm
    with by_rollout("x"):
        BestOfN(program, 2, length, threshold=1.0)(q="?")
        assert {id(call["lm"]) for call in dspx.settings.adapter.calls} == {id(lm)}
    assert (program.config, lm.kwargs.get("rollout_id")) == ({}, None)


def test_programs_with_several_lms_will_do():
    class Two(dspx.Module):
        def __init__(self):
            self.one, self.two = dspx.Predict("q -> answer"), dspx.Predict("q -> answer")
            self.one.lm, self.two.lm = ScriptedLM(), ScriptedLM()

        def forward(self, q):
            return self.two(q=self.one(q=q).answer)

    with by_rollout("xx", "xxx"):
        assert BestOfN(Two(), 2, length, threshold=1.0)(q="?").answer == "xxx"


def test_the_steps_of_the_best_attempt_alone_are_on_the_trace():
    with by_rollout("xx", "xxxx", "x"), dspx.context(trace=[]):
        BestOfN(dspx.Predict("q -> answer"), 3, length, threshold=1.0)(q="?")
        assert [prediction.answer for _, _, prediction in dspx.settings.trace] == ["xxxx"]
    with by_rollout("x"):
        BestOfN(dspx.Predict("q -> answer"), 1, length, threshold=1.0)(q="?")
        assert dspx.settings.trace is None


@pytest.mark.parametrize("kind", ["async", "module"])
def test_a_reward_may_be_async_or_a_module_that_is_no_part_of_the_program(kind):
    async def async_reward(inputs, prediction):
        await asyncio.sleep(0)
        return length(inputs, prediction)

    class Judge(dspx.Module):
        def __init__(self):
            self.judge = dspx.Predict("text -> answer")

        def forward(self, inputs, prediction):
            return dspx.Prediction(score=length(inputs, prediction))

    reward = async_reward if kind == "async" else Judge()
    module = BestOfN(dspx.Predict("q -> answer"), 2, reward, threshold=1.0)
    assert [name for name, _ in module.named_predictors()] == ["module"]
    with by_rollout("x", "xxx"):
        for said in both_ways(module, q="?"):
            assert said.answer == "xxx"


# ---------------------------------------------------------------- failures


def test_failed_attempts_are_passed_over_and_logged(caplog, capsys):
    with by_rollout(ValueError("first"), "xx", ValueError("third")):
        assert BestOfN(dspx.Predict("q -> answer"), 3, length, threshold=1.0)(q="?").answer == "xx"
    assert "attempt 1 of 3 failed: first" in caplog.text
    assert capsys.readouterr().out == ""


def test_when_no_attempt_comes_through_the_last_error_is_raised():
    with by_rollout(ValueError("first"), ValueError("second")):
        module = BestOfN(dspx.Predict("q -> answer"), 2, length, threshold=1.0)
        for _ in range(3):
            with pytest.raises(ValueError, match="second"):
                module(q="?")


def test_fail_count_is_the_number_of_failures_allowed_in_each_call():
    with by_rollout(ValueError("first"), "x", ValueError("third"), "xxxx"):
        strict = BestOfN(dspx.Predict("q -> answer"), 4, length, threshold=1.0, fail_count=1)
        lenient = BestOfN(dspx.Predict("q -> answer"), 4, length, threshold=1.0, fail_count=2)
        for _ in range(3):
            with pytest.raises(ValueError, match="third"):
                strict(q="?")
            assert lenient(q="?").answer == "xxxx"
    with by_rollout(ValueError("first"), "x"), pytest.raises(ValueError, match="first"):
        BestOfN(dspx.Predict("q -> answer"), 2, length, threshold=1.0, fail_count=0)(q="?")


def test_a_reward_that_fails_or_says_nothing_is_a_failed_attempt():
    with by_rollout("x"):
        with pytest.raises(UsageError, match="reward function returned None"):
            BestOfN(dspx.Predict("q -> answer"), 2, lambda inputs, prediction: None, threshold=1.0)(q="?")
        with pytest.raises(ZeroDivisionError):
            BestOfN(dspx.Predict("q -> answer"), 2, lambda inputs, prediction: 1 / 0, threshold=1.0)(q="?")


def test_no_attempts_at_all_is_a_mistake():
    with pytest.raises(UsageError, match="at least one attempt"):
        BestOfN(dspx.Predict("q -> answer"), 0, length, threshold=1.0)


def test_inside_another_rollout_attempts_stay_apart():
    program = dspx.Predict("q -> answer")
    module = BestOfN(program, 2, length, threshold=1.0)
    with by_rollout("x"):
        for number in range(2):
            with bound.using(another_rollout(module, number)):
                module(q="?")
        rollouts = [call["config"]["rollout_id"] for call in dspx.settings.adapter.calls]
    assert len(set(rollouts)) == 4
