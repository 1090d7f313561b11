import asyncio
import io

import pytest

import dspx
from dspx.core import streams
from dspx.errors import UsageError
from dspx.lm.base import BaseLM
from dspx.lm.history import GLOBAL_HISTORY
from dspx.lm.response import Output, Response
from dspx.lm.usage import Usage


class Sync(BaseLM):
    def forward(self, prompt=None, messages=None, **kwargs):
        return f"sync {prompt or messages[-1]['content']}"


class Async(BaseLM):
    async def aforward(self, prompt=None, messages=None, **kwargs):
        await asyncio.sleep(0)
        return f"async {prompt or messages[-1]['content']}"


class Both(BaseLM):
    def forward(self, prompt=None, messages=None, **kwargs):
        return "sync"

    async def aforward(self, prompt=None, messages=None, **kwargs):
        return "async"


class Native(BaseLM):
    async def generate(self, request):
        output = Output(f"native {request.params}")
        return Response(self.model, (output,), Usage(1, 2, 3), cost=0.5)


def both_calls(lm, *args, **kwargs):
    return [lm(*args, **kwargs), asyncio.run(lm.acall(*args, **kwargs))]


def test_any_one_body_answers_sync_and_async_calls():
    assert both_calls(Sync("m"), "hi") == [["sync hi"]] * 2
    assert both_calls(Async("m"), messages=[{"role": "user", "content": "hi"}]) == [["async hi"]] * 2
    assert both_calls(Both("m"), "hi") == [["sync"], ["async"]]
    assert (
        both_calls(Native("m", temperature=0.5), "hi", top_p=1)
        == [["native {'temperature': 0.5, 'top_p': 1}"]] * 2
    )


def test_an_openai_shaped_answer_is_read():
    class OpenAILike(BaseLM):
        def forward(self, prompt=None, messages=None, **kwargs):
            return {
                "model": "real-name",
                "choices": [{"message": {"content": "a"}}, {"message": {"content": "b"}}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
            }

    lm = OpenAILike("m")
    assert lm("hi") == ["a", "b"]
    assert lm.history[-1]["response_model"] == "real-name"
    assert lm.history[-1]["usage"]["total_tokens"] == 3


def test_a_call_setting_goes_before_the_lms_own():
    assert Native("m", temperature=0.5)("hi", temperature=1.0) == ["native {'temperature': 1.0}"]


def test_an_lm_without_a_body_says_what_to_define():
    with pytest.raises(UsageError, match="define `generate`, `forward` or `aforward`"):
        BaseLM("m")("hi")


def test_asking_nothing_is_refused():
    with pytest.raises(UsageError, match="give a prompt or messages"):
        Sync("m")()


def test_usage_is_counted_with_its_cost():
    with dspx.track_usage() as usage:
        Native("m")("hi")
        asyncio.run(Native("m").acall("hi"))
    assert usage.get_total_tokens() == {"m": {"prompt_tokens": 2, "completion_tokens": 4, "total_tokens": 6}}
    assert usage.total_cost == 1.0


def test_every_call_is_in_the_histories_of_the_lm_the_modules_around_it_and_the_process():
    lm = Sync("m")

    class Program(dspx.Module):
        def forward(self):
            return lm("hi")

    program = Program()
    program()
    entry = lm.history[-1]
    assert program.history[-1] is entry
    assert GLOBAL_HISTORY[-1] is entry
    assert (entry["prompt"], entry["outputs"], entry["model"]) == ("hi", ["sync hi"], "m")


def test_history_is_bounded_and_can_be_turned_off():
    lm = Sync("m")
    with dspx.context(max_history_size=2):
        for _ in range(5):
            lm("hi")
    assert len(lm.history) == 2
    with dspx.context(disable_history=True):
        lm("hi again")
    assert lm.history[-1]["prompt"] == "hi"


def test_a_history_prints_without_colours_to_a_file():
    lm, out = Sync("m"), io.StringIO()
    lm("hi")
    lm.inspect_history(file=out)
    assert "User message:" in out.getvalue()
    assert "sync hi" in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_callbacks_hear_the_call():
    heard = []

    class Recorder(dspx.BaseCallback):
        def on_lm_start(self, call_id, instance, inputs):
            heard.append(inputs)

        def on_lm_end(self, call_id, outputs, exception=None):
            heard.append(outputs)

    Sync("m", callbacks=[Recorder()])("hi", n=2)
    assert heard == [
        {"prompt": "hi", "messages": [{"role": "user", "content": "hi"}], "kwargs": {"n": 2}},
        ["sync hi"],
    ]


def test_a_copy_has_its_own_history_and_settings():
    lm = Sync("m", temperature=0.5, top_p=1)
    lm("hi")
    copied = lm.copy(temperature=1.0, top_p=None, rollout_id=3, cache=False)
    assert len(copied.history) == 0
    assert copied.kwargs == {"temperature": 1.0, "max_tokens": None, "rollout_id": 3}
    assert (copied.cache, lm.cache) == (False, True)
    assert lm.kwargs["temperature"] == 0.5


def test_the_rollout_id_and_the_cache_switch_never_reach_the_model():
    assert Native("m")("hi", rollout_id=1, cache=False) == ["native {}"]


def test_state_holds_no_secrets():
    state = Sync("m", api_key="sk-1", extra_headers={"x": "sk-2"}, temperature=0.1).dump_state()
    assert "sk-" not in str(state)
    assert state["temperature"] == 0.1


class Sink:
    def __init__(self):
        self.calls, self.text = 0, ""

    def on_call(self):
        self.calls += 1

    def on_delta(self, delta):
        self.text += delta.text

    def on_prediction(self, prediction):
        pass


def test_an_lm_that_cannot_stream_streams_its_answer_in_one_piece():
    sink = Sink()
    with streams.sink.using(sink):
        Sync("m")("hi")
    assert (sink.calls, sink.text) == (1, "sync hi")


def test_forward_gets_the_settings_of_the_call_and_has_the_lms_own_in_kwargs():
    class Client(BaseLM):
        def forward(self, prompt=None, messages=None, **kwargs):
            return self.post(temperature=self.kwargs["temperature"], **kwargs)

        def post(self, temperature, top_p=None):
            return f"{temperature} {top_p}"

    lm = Client("m", temperature=0.5)
    assert both_calls(lm, "hi", top_p=1) == [["0.5 1"]] * 2
    assert lm.history[-1]["kwargs"] == {"temperature": 0.5, "top_p": 1}


def test_an_lm_that_overrides_the_call_itself_is_asked_that_way_by_programs():
    class Replaced(BaseLM):
        def __call__(self, prompt=None, messages=None, **kwargs):
            return [{"text": "[[ ## answer ## ]]\nreplaced", "reasoning_content": "thought"}]

    class Wrapped(Sync):
        asked = ()

        def __call__(self, prompt=None, messages=None, **kwargs):
            self.asked = (*self.asked, kwargs)
            return super().__call__(prompt=prompt, messages=messages, **kwargs)

    predict = dspx.Predict("question -> answer", temperature=0.3)
    assert predict(question="?", lm=Replaced("m")).answer == "replaced"
    assert asyncio.run(predict.acall(question="?", lm=Replaced("m"))).answer == "replaced"
    wrapped = Wrapped("m")
    predict(question="?", lm=wrapped)
    assert wrapped.asked == ({"temperature": 0.3},)
    assert len(wrapped.history) == 1


def test_an_lm_may_have_an_acall_that_really_waits():
    class Waiting(Sync):
        async def acall(self, prompt=None, messages=None, **kwargs):
            await asyncio.sleep(0)
            return ["waited"]

    assert both_calls(Waiting("m"), "hi") == [["sync hi"], ["waited"]]


def test_an_entry_of_the_history_says_how_the_call_was_and_not_how_the_lm_became():
    lm = Sync("m", temperature=0.5)
    lm("hi")
    lm.model, lm.kwargs["temperature"] = "another", 1.0
    entry = lm.history[-1]
    assert (entry["model"], entry["kwargs"]) == ("m", {"temperature": 0.5})
    assert entry is lm.history[-1]
