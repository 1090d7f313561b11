import asyncio

import pytest

import dspx
from dspx.core.events import ACTIVE_CALL_ID, aobserve, observe
from dspx.runtime.bridge import run


class Recorder(dspx.BaseCallback):
    def __init__(self):
        self.heard = []

    def on_tool_start(self, call_id, instance, inputs):
        self.heard.append(("start", inputs, ACTIVE_CALL_ID.get()))

    def on_tool_end(self, call_id, outputs, exception=None):
        self.heard.append(("end", outputs, exception))


class Tool:
    def __init__(self, *callbacks):
        self.callbacks = list(callbacks)


async def work(x):
    return x + 1


def test_start_and_end_are_told_with_inputs_and_outputs():
    own, everywhere = Recorder(), Recorder()
    with dspx.context(callbacks=[everywhere]):
        assert run(aobserve("tool", Tool(own), lambda: {"x": 1}, work, 1)) == 2
        assert observe("tool", Tool(), lambda: {"x": 1}, len, "abc") == 3
    assert own.heard == [("start", {"x": 1}, None), ("end", 2, None)]
    assert len(everywhere.heard) == 4


def test_nested_calls_know_the_call_around_them():
    outer, inner = Recorder(), Recorder()

    async def around():
        return await aobserve("tool", Tool(inner), dict, work, 1)

    asyncio.run(aobserve("tool", Tool(outer), dict, around))
    assert outer.heard[0][2] is None
    assert inner.heard[0][2] is not None
    assert ACTIVE_CALL_ID.get() is None


def test_an_error_is_told_and_raised():
    recorder = Recorder()
    with pytest.raises(ZeroDivisionError):
        observe("tool", Tool(recorder), dict, lambda: 1 / 0)
    assert isinstance(recorder.heard[-1][2], ZeroDivisionError)


def test_a_hook_that_fails_does_not_reach_the_program(caplog):
    class Broken(dspx.BaseCallback):
        def on_tool_start(self, call_id, instance, inputs):
            raise RuntimeError("hook")

    assert observe("tool", Tool(Broken()), dict, lambda: 5) == 5


def test_inputs_are_not_made_where_nobody_listens():
    assert observe("tool", Tool(), lambda: 1 / 0, lambda: 5) == 5


def test_a_call_that_is_cancelled_or_interrupted_ends_too():
    async def interrupted():
        raise KeyboardInterrupt

    def interrupted_at_once():
        raise KeyboardInterrupt

    for way in (
        lambda tool: run(aobserve("tool", tool, lambda: {}, interrupted)),
        lambda tool: observe("tool", tool, lambda: {}, interrupted_at_once),
    ):
        recorder = Recorder()
        with pytest.raises(KeyboardInterrupt):
            way(Tool(recorder))
        assert [what for what, *_ in recorder.heard] == ["start", "end"]
        assert isinstance(recorder.heard[1][2], KeyboardInterrupt)
        assert ACTIVE_CALL_ID.get() is None
