import asyncio

import pytest

import dspx
from dspx.errors import UsageError
from dspx.optimizers.labeled_few_shot import LabeledFewShot

TRAINSET = [dspx.Example(i=i).with_inputs("i") for i in range(10)]


class Two(dspx.Module):
    def __init__(self):
        self.a, self.b = dspx.Predict("i -> o"), dspx.Predict("i -> o")


def demos(program):
    return [[demo.i for demo in predictor.demos] for predictor in program.predictors()]


def test_the_choice_is_the_one_that_dspy_makes():
    compiled = LabeledFewShot(k=3).compile(Two(), trainset=TRAINSET)
    assert demos(compiled) == [[6, 9, 0], [4, 8, 7]]
    whole = LabeledFewShot().compile(Two(), trainset=TRAINSET)
    assert demos(whole) == [[6, 9, 0, 2, 4, 3, 5, 1, 8, 7], [9, 3, 2, 7, 1, 0, 6, 8, 4, 5]]


def test_without_sampling_it_is_the_first_k():
    compiled = LabeledFewShot(k=3).compile(Two(), trainset=TRAINSET, sample=False)
    assert demos(compiled) == [[0, 1, 2], [0, 1, 2]]


def test_the_student_is_untouched():
    student = Two()
    student.a.demos = [dspx.Example(i=99)]
    compiled = LabeledFewShot(k=3).compile(student, trainset=TRAINSET)
    assert demos(student) == [[99], []]
    assert compiled is not student
    assert compiled.a.signature is student.a.signature


def test_async_code_gets_the_same():
    compiled = asyncio.run(LabeledFewShot(k=3).acompile(Two(), trainset=TRAINSET))
    assert demos(compiled) == [[6, 9, 0], [4, 8, 7]]


def test_an_empty_trainset_gives_an_unchanged_copy():
    assert demos(LabeledFewShot().compile(Two(), trainset=[])) == [[], []]


def test_arguments_it_has_no_use_for_are_refused():
    LabeledFewShot().compile(Two(), trainset=TRAINSET, teacher=None, valset=None)
    with pytest.raises(UsageError, match="no use for teacher"):
        LabeledFewShot().compile(Two(), trainset=TRAINSET, teacher=Two())


def test_callbacks_hear_it_once_with_its_arguments():
    heard = []

    class Recorder(dspx.BaseCallback):
        def on_compile_start(self, call_id, instance, inputs):
            heard.append({name: type(value).__name__ for name, value in inputs.items()})

        def on_compile_end(self, call_id, outputs, exception=None):
            heard.append(type(outputs).__name__)

    with dspx.context(callbacks=[Recorder()]):
        LabeledFewShot().compile(Two(), trainset=TRAINSET)
        asyncio.run(LabeledFewShot().acompile(Two(), trainset=TRAINSET))
    assert heard == [{"student": "Two", "trainset": "list", "sample": "bool"}, "Two"] * 2


def test_its_parameters_can_be_read():
    assert LabeledFewShot(k=3).get_params() == {"k": 3}
