"""A study under a space: rollouts bind its variables, replacements are known by name, the best is installed whole."""

import dspx
from dspx.optimizers.fingerprint import of_setting
from dspx.testing.scripted import ScriptedLM


class Answer(dspx.Module):
    def __init__(self):
        self.answer = dspx.Predict("question -> answer")
        self.passages = 1

    def forward(self, question):
        return self.answer(question=f"{question} {'passage ' * self.passages}")


def told(request):
    """Right where the temperature is low, a reasoning is asked for and enough is read."""
    asked = str(request.messages[0])
    text = str(request.messages[-1])
    temperature = request.params.get("temperature")
    good = (
        (temperature is not None and temperature < 0.5)
        + ("`reasoning`" in asked)
        + (text.count("passage ") > 2)
    )
    fields = (
        {"reasoning": "…", "answer": "yes " * good} if "`reasoning`" in asked else {"answer": "yes " * good}
    )
    return (
        "".join(f"[[ ## {name} ## ]]\n{value}\n\n" for name, value in fields.items())
        + "[[ ## completed ## ]]"
    )


def metric(example, prediction, trace=None):
    return (prediction.answer or "").count("yes") / 3


def space_of(program):
    return dspx.Space(
        program,
        [
            dspx.Float("temperature", 0.0, 1.0, 0.9).bind("*.lm.temperature"),
            dspx.Integer("passages", 1, 4, 1).bind("passages"),
            dspx.Choice.of_modules("how", [dspx.Predict, dspx.ChainOfThought]).bind("answer"),
        ],
    )


class Sampling(dspx.Optimizer):
    """The best of some configurations spread over the space, with demos from its own traces."""

    def __init__(self, metric):
        self.metric = metric

    async def search(self, study):
        candidates = [study.space.candidate(values) for values in study.space.cover(24)]
        await study.evaluate_all(candidates)
        best = study.best_measured()
        measured = await study.evaluate(best, keep_steps=True)
        demos = [step.demo() for rollout in measured for step in rollout.steps_of("answer")]
        study.adopt(study.propose(best.with_demos({"answer": demos[:2]}), "demos of its own", best))


DATA = [dspx.Example(question=f"{n}?", answer="yes").with_inputs("question") for n in range(12)]


def test_the_best_configuration_is_installed_whole_with_demos_of_the_leaf_that_stood_in():
    dspx.configure(lm=ScriptedLM(told))
    program = Answer()
    compiled = Sampling(metric).compile(program, trainset=DATA, space=space_of(program), selection="dspy")
    assert isinstance(compiled.answer, dspx.ChainOfThought)
    assert compiled.passages > 2
    assert compiled.answer.predict.config["temperature"] < 0.5
    assert [demo.reasoning for demo in compiled.answer.predict.demos] == ["…", "…"]
    assert metric(None, compiled(question="?")) == 1
    assert isinstance(program.answer, dspx.Predict)


def test_simba_moves_variables():
    dspx.configure(lm=ScriptedLM(told))
    program = Answer()
    simba = dspx.SIMBA(metric=metric, bsize=4, num_candidates=4, max_steps=4, space=space_of(program))
    compiled = simba.compile(program, trainset=DATA, seed=1)
    assert metric(None, compiled(question="?")) > metric(None, program(question="?"))


def test_a_space_is_part_of_what_a_search_is():
    space = space_of(Answer())
    assert of_setting(space) == of_setting(space_of(Answer()))
    assert of_setting(space) != of_setting(dspx.Space.of(Answer()))
