import asyncio
import copy
import threading

import pytest

import dspx
from dspx.errors import EvaluationError, UsageError


class Sync(dspx.Module):
    def forward(self, x):
        return dspx.Prediction(x=x, thread=threading.get_ident())


class Async(dspx.Module):
    async def aforward(self, x):
        await asyncio.sleep(0)
        return dspx.Prediction(x=x)


class Both(dspx.Module):
    def forward(self, x):
        return "sync"

    async def aforward(self, x):
        return "async"


@pytest.mark.parametrize("program", [Sync(), Async()])
def test_either_body_serves_sync_and_async_calls(program):
    assert program(x=1).x == 1
    assert asyncio.run(program.acall(x=2)).x == 2
    assert program.forward(x=3).x == 3
    assert asyncio.run(program.aforward(x=4)).x == 4


def test_with_both_bodies_each_call_has_its_own():
    assert Both()(x=1) == "sync"
    assert asyncio.run(Both().acall(x=1)) == "async"


def test_the_body_lower_in_the_class_order_wins():
    class Child(Async):
        def forward(self, x):
            return "child"

    class Grandchild(Child):
        async def aforward(self, x):
            return "grandchild"

    assert Child()(x=1) == asyncio.run(Child().acall(x=1)) == "child"
    assert Grandchild()(x=1) == asyncio.run(Grandchild().acall(x=1)) == "grandchild"


def test_a_body_may_call_the_one_it_overrides():
    class Child(Async):
        async def aforward(self, x):
            return await super().aforward(x=x + 1)

    class Mixed(Async):
        def forward(self, x):
            return super().forward(x=x + 1)

    for program in (Child(), Mixed()):
        assert program(x=1).x == 2
        assert asyncio.run(program.acall(x=1)).x == 2


def test_a_sync_body_does_not_block_the_loop_of_an_async_call():
    here = threading.get_ident()
    assert asyncio.run(Sync().acall(x=1)).thread != here
    assert Sync()(x=1).thread == here


def test_a_module_without_a_body_says_so():
    class Empty(dspx.Module):
        pass

    with pytest.raises(UsageError, match="Empty has no body"):
        Empty()()
    with pytest.raises(UsageError, match="Empty has no body"):
        asyncio.run(Empty().acall())


def test_init_need_not_call_super():
    class Program(dspx.Module):
        def __init__(self):
            self.leaf = dspx.Predict("q -> a")

    assert [name for name, _ in Program().named_predictors()] == ["leaf"]
    assert Program().callbacks == []


def test_a_forward_hung_on_the_instance_is_the_body():
    program = Sync()
    program.forward = lambda x: x * 10
    assert program(x=2) == 20
    assert asyncio.run(program.acall(x=2)) == 20


def test_callbacks_hear_the_call():
    class Recorder(dspx.BaseCallback):
        heard: list = []

        def on_module_start(self, call_id, instance, inputs):
            self.heard.append(inputs)

        def on_module_end(self, call_id, outputs, exception=None):
            self.heard.append(outputs.x)

    program = Sync()
    program.callbacks = [Recorder()]
    program(x=3)
    assert Recorder.heard == [{"args": (), "kwargs": {"x": 3}}, 3]


def test_batch_keeps_the_order_and_gives_none_for_failures():
    class Fussy(dspx.Module):
        def forward(self, x):
            if x == 2:
                raise ValueError("no twos")
            return x

    examples = [dspx.Example(x=x).with_inputs("x") for x in range(5)]
    assert Fussy().batch(examples, num_threads=3) == [0, 1, None, 3, 4]
    results, failed, errors = Fussy().batch(examples, return_failed_examples=True)
    assert (results[2], failed, str(errors[0])) == (None, [examples[2]], "no twos")
    assert asyncio.run(Fussy().abatch(examples)) == [0, 1, None, 3, 4]


def test_batch_gives_up_once_too_many_have_failed_and_says_which():
    class Broken(dspx.Module):
        def forward(self, x):
            raise ValueError(f"broken {x}")

    with pytest.raises(EvaluationError, match=r"max_errors=3.*broken") as raised:
        Broken().batch([dspx.Example(x=x).with_inputs("x") for x in range(50)], max_errors=3, num_threads=1)
    assert [example.x for example, _ in raised.value.failures] == [0, 1, 2]
    assert isinstance(raised.value.__cause__, ValueError)


def test_a_copy_is_independent_and_shares_what_cannot_be_copied():
    class Program(dspx.Module):
        def __init__(self):
            self.leaf = dspx.Predict("q -> a")
            self.lock = threading.Lock()

    program = Program()
    program.leaf.demos = [dspx.Example(q="1", a="2")]
    copied = program.deepcopy()
    copied.leaf.demos[0].a = "changed"
    assert program.leaf.demos[0].a == "2"
    assert copied.lock is program.lock
    assert copied.leaf.signature is program.leaf.signature
    assert program.reset_copy().leaf.demos == []


def test_what_cannot_be_copied_is_shared_alone_however_deep_it_lies():
    class Step(dspx.Module):
        def __init__(self, lock):
            self.leaf = dspx.Predict("q -> a")
            self.lock = lock

    class Program(dspx.Module):
        def __init__(self):
            lock = threading.Lock()
            self.steps = [Step(lock), {"last": Step(lock)}]
            self.first = self.steps[0]
            self.owner = self

    program = Program()
    program.first.leaf.demos = [dspx.Example(q="1", a="2")]
    copied = program.reset_copy()
    assert len(program.first.leaf.demos) == 1
    assert copied.steps[0] is copied.first is not program.first
    assert copied.first.leaf.demos == []
    assert copied.steps[1]["last"].leaf is not program.steps[1]["last"].leaf
    assert copied.steps[1]["last"].lock is program.first.lock
    assert copied.owner is copied


def test_a_copy_has_no_callbacks_and_no_history():
    program = Sync()
    program.callbacks = [dspx.BaseCallback()]
    assert copy.deepcopy(program).callbacks == []


def test_get_lm_gives_the_one_lm_or_says_why_not():
    class Program(dspx.Module):
        def __init__(self):
            self.one, self.two = dspx.Predict("q -> a"), dspx.Predict("q -> a")

    program, lm = Program(), object()
    program.set_lm(lm)
    assert program.get_lm() is lm
    program.one.lm = object()
    with pytest.raises(ValueError, match="Multiple LMs"):
        program.get_lm()
    with pytest.raises(ValueError, match="no predictors"):
        Sync().get_lm()


def test_a_mixin_that_is_no_module_may_bring_the_body():
    class Greets:
        def forward(self, x):
            return f"hello {x}"

    class GreetsLater:
        async def aforward(self, x):
            await asyncio.sleep(0)
            return f"hello {x}"

    class First(Greets, dspx.Module): ...

    class Second(GreetsLater, dspx.Module): ...

    class Over(Greets, Async): ...

    for program in (First(), Second(), Over()):
        assert program(x=1) == "hello 1"
        assert asyncio.run(program.acall(x=2)) == "hello 2"
