import asyncio

import pytest

import dspx
from dspx.errors import UsageError
from dspx.optimizers.optimizer import Optimizer, Teleprompter


class Recorder(dspx.BaseCallback):
    def __init__(self):
        self.heard = []

    def on_compile_start(self, call_id, instance, inputs):
        self.heard.append(("start", type(instance).__name__, sorted(inputs)))

    def on_compile_end(self, call_id, outputs, exception=None):
        self.heard.append(("end", type(exception).__name__ if exception else outputs))


class Sync(Teleprompter):
    def compile(self, student, *, trainset, teacher=None, valset=None):
        return ("sync", student, len(trainset))


class Async(Optimizer):
    async def acompile(self, student, *, trainset, **kwargs):
        await asyncio.sleep(0)
        return ("async", student, len(trainset))


@pytest.mark.parametrize(("optimizer", "kind"), [(Sync(), "sync"), (Async(), "async")])
def test_either_body_serves_both_calls_and_is_heard_once(optimizer, kind):
    recorder = Recorder()
    with dspx.context(callbacks=[recorder]):
        assert optimizer.compile("s", trainset=[1, 2]) == (kind, "s", 2)
        assert asyncio.run(optimizer.acompile("s", trainset=[1])) == (kind, "s", 1)
    assert [event for event, *_ in recorder.heard] == ["start", "end"] * 2


def test_calling_the_parents_compile_is_not_heard_again():
    class Child(Sync):
        def compile(self, student, *, trainset, **kwargs):
            return ("child", super().compile(student, trainset=trainset))

    recorder = Recorder()
    with dspx.context(callbacks=[recorder]):
        assert Child().compile("s", trainset=[])[0] == "child"
        assert asyncio.run(Child().acompile("s", trainset=[]))[0] == "child"
    assert len(recorder.heard) == 4


def test_a_child_with_the_other_body_replaces_its_parents():
    class Child(Sync):
        async def acompile(self, student, *, trainset, **kwargs):
            return "child"

    assert Child().compile("s", trainset=[]) == "child"


def test_its_own_callbacks_hear_a_failure():
    class Failing(Optimizer):
        def __init__(self, callbacks):
            self.callbacks = callbacks

        def compile(self, student, trainset):
            raise ValueError("no")

    recorder = Recorder()
    with pytest.raises(ValueError, match="no"):
        Failing([recorder]).compile("s", [1])
    assert recorder.heard == [("start", "Failing", ["student", "trainset"]), ("end", "ValueError")]


def test_an_optimizer_without_a_body_says_so():
    with pytest.raises(UsageError, match="Optimizer cannot compile"):
        Optimizer().compile(dspx.Predict("q -> a"), trainset=[])
