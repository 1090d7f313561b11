"""Portable programs: language models of one's own, direct calls, usage, history, callbacks, settings."""

import asyncio
from types import SimpleNamespace

from tests.compat_programs.observing import chat, part, program, scripted


@program
def direct_calls(dspy, notes):
    lm = scripted(dspy, ["one", ["x", "y"]], temperature=0.2, max_tokens=9)
    notes("prompt", lm("hello"))
    notes("messages and n", lm(messages=[{"role": "user", "content": "hi"}], n=2, temperature=0.9))
    notes("acall", asyncio.run(lm.acall("again")))
    notes("prompts", lm.prompts())
    keys = ("prompt", "outputs", "usage", "cost", "model", "response_model", "model_type")
    notes("history", [{key: entry.get(key) for key in keys} for entry in lm.history])
    notes("history keys", sorted(set(lm.history[0]) - {"cache_hit", "latency"}))
    notes("kwargs", lm.kwargs)
    copy = lm.copy(temperature=0.5, rollout_id=3)
    notes("copy", [copy.kwargs, len(copy.history), copy.model])
    notes("history length", len(lm.history))
    notes("last by index", lm.history[-1]["outputs"])
    notes("slice", [entry["outputs"] for entry in lm.history[-2:]])


@program
def models_of_ones_own(dspy, notes):
    class Merging(dspy.BaseLM):
        def forward(self, prompt=None, messages=None, **kwargs):
            settings = {**self.kwargs, **kwargs}
            text = f"{settings.get('temperature')} {settings.get('max_tokens')} {settings.get('top_k')}"
            return _openai(chat(answer=text))

    class Bare(dspy.BaseLM):
        """Takes no settings at all, and passes its own on by itself."""

        def forward(self, prompt=None, messages=None, **kwargs):
            return self.post(messages=messages, temperature=self.kwargs["temperature"], **kwargs)

        def post(self, messages, temperature, max_tokens=None):
            return _openai(chat(answer=f"{temperature}"))

    class Async(dspy.BaseLM):
        async def aforward(self, prompt=None, messages=None, **kwargs):
            await asyncio.sleep(0)
            return _openai(chat(answer="async"))

        def forward(self, prompt=None, messages=None, **kwargs):
            return _openai(chat(answer="sync"))

    predict = dspy.Predict("question -> answer")
    with dspy.context(lm=Merging("own/merging", temperature=0.1, max_tokens=7, top_k=4)):
        notes("merging", predict(question="?"))
        notes("config goes first", predict(question="?", config={"temperature": 0.9}))
    with dspy.context(lm=Bare("own/bare", temperature=0.1)):
        notes.raises("bare", lambda: predict(question="?"))
    with dspy.context(lm=Async("own/async")):
        notes("sync", predict(question="?"))
        notes("async", asyncio.run(predict.acall(question="?")))


@program
def richer_responses(dspy, notes):
    class Rich(dspy.BaseLM):
        def __init__(self, **message):
            super().__init__("own/rich")
            self.message = message

        def forward(self, prompt=None, messages=None, **kwargs):
            response = _openai("", **self.message)
            if kwargs.get("logprobs"):
                response.choices[0].logprobs = {"content": [{"token": "a", "logprob": -0.1}]}
            return response

    notes("reasoning", Rich(content="hi", reasoning_content="thinking")("?"))
    notes("logprobs", Rich(content="hi")("?", logprobs=True))
    with dspy.context(lm=Rich(content=chat(answer="yes"))):
        out = dspy.Predict("q -> answer", logprobs=True)(q="?")
        notes("prediction", out)
        notes("logprobs of the prediction", out.logprobs)
    with dspy.context(lm=Rich(content=chat(answer="yes"), reasoning_content="deep")):
        notes("reasoning is ignored", dspy.Predict("q -> answer")(q="?"))


@program
def usage_is_tracked(dspy, notes):
    lm = scripted(dspy, [chat(answer="x")], usage=(11, 4))
    predict = dspy.Predict("q -> answer")

    class Twice(dspy.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = dspy.Predict("q -> answer"), dspy.Predict("q -> answer")

        def forward(self, q):
            self.one(q=q)
            return self.two(q=q)

    with dspy.context(lm=lm), dspy.track_usage() as tracker:
        predict(q="1")
        predict(q="2")
    notes("total", tracker.get_total_tokens())
    with dspy.context(lm=lm, track_usage=True):
        notes("on the prediction", Twice()(q="?").get_lm_usage())
        notes("async", asyncio.run(predict.acall(q="?")).get_lm_usage())
    with dspy.context(lm=lm):
        notes("not tracked", predict(q="?").get_lm_usage())


@program
def callbacks_see_everything(dspy, notes):
    seen = []

    class Watcher(part(dspy, "utils.callback").BaseCallback):
        def on_module_start(self, call_id, instance, inputs):
            seen.append(["module start", type(instance).__name__, inputs])

        def on_module_end(self, call_id, outputs, exception):
            seen.append(["module end", outputs, exception and type(exception).__name__])

        def on_lm_start(self, call_id, instance, inputs):
            seen.append(["lm start", sorted(inputs)])

        def on_lm_end(self, call_id, outputs, exception):
            seen.append(["lm end", outputs, exception and type(exception).__name__])

        def on_adapter_format_start(self, call_id, instance, inputs):
            seen.append(["format start", type(instance).__name__, sorted(inputs)])

        def on_adapter_format_end(self, call_id, outputs, exception):
            seen.append(["format end", len(outputs)])

        def on_adapter_parse_start(self, call_id, instance, inputs):
            seen.append(["parse start", sorted(inputs)])

        def on_adapter_parse_end(self, call_id, outputs, exception):
            seen.append(["parse end", outputs])

        def on_evaluate_start(self, call_id, instance, inputs):
            seen.append(["evaluate start", sorted(inputs)])

        def on_evaluate_end(self, call_id, outputs, exception):
            seen.append(["evaluate end", outputs.score])

    lm = scripted(dspy, [chat(reasoning="r", answer="x")])
    with dspy.context(lm=lm, callbacks=[Watcher()]):
        dspy.ChainOfThought("question -> answer")(question="?")
        notes("one call", list(seen))
        seen.clear()
        lm("hello")
        notes("direct", list(seen))
        seen.clear()
        dspy.Evaluate(
            devset=[dspy.Example(question="q").with_inputs("question")], metric=lambda e, p, t=None: 1
        )(dspy.Predict("question -> answer"))
        notes("evaluate", [entry[0] for entry in seen])
        seen.clear()
        asyncio.run(dspy.Predict("question -> answer").acall(question="?"))
        notes("async", [entry[0] for entry in seen])
    seen.clear()
    with dspy.context(lm=lm):
        dspy.Predict("question -> answer", callbacks=[Watcher()])(question="?")
        notes("on one module", [entry[0] for entry in seen])

        class Fails(dspy.Module):
            def forward(self, q):
                raise ValueError("no")

        seen.clear()
        program = Fails(callbacks=[Watcher()])
        notes.raises("fails", lambda: program(q=1))
        notes("on failure", seen)


@program
def settings_and_contexts(dspy, notes):
    one, two = scripted(dspy, [chat(answer="1")]), scripted(dspy, [chat(answer="2")])
    predict = dspy.Predict("q -> answer")
    before = dspy.settings.lm
    with dspy.context(lm=one):
        notes("outer", predict(q="?").answer)
        with dspy.context(lm=two):
            notes("inner", predict(q="?").answer)
            with dspy.settings.context(lm=one):
                notes("through settings", predict(q="?").answer)
        notes("outer again", predict(q="?").answer)
        notes("get", [dspy.settings.get("nothing", 5), dspy.settings["lm"] is one, "lm" in dspy.settings])
        predict.lm = two
        notes("own lm", predict(q="?").answer)
    notes("restored", dspy.settings.lm is before)
    notes.raises("unknown attribute", lambda: dspy.settings.does_not_exist)
    with dspy.context(own_setting=3):
        notes("own setting", dspy.settings.own_setting)
    with dspy.context(trace=[], lm=one):
        dspy.Predict("q -> answer")(q="?")
        notes(
            "trace", [[type(leaf).__name__, inputs, output] for leaf, inputs, output in dspy.settings.trace]
        )
    notes(
        "defaults",
        {
            name: dspy.settings.get(name)
            for name in (
                "adapter",
                "num_threads",
                "max_errors",
                "track_usage",
                "async_max_workers",
                "max_history_size",
                "warn_on_type_mismatch",
                "provide_traceback",
                "disable_history",
                "max_trace_size",
                "allow_tool_async_sync_conversion",
                "usage_tracker",
                "callbacks",
                "rm",
                "branch_idx",
                "experimental",
            )
        },
    )
    with dspy.context(lm=one, disable_history=True):
        count = len(one.history)
        one("x")
        notes("no history", len(one.history) - count)


@program
def errors_of_models(dspy, notes):
    class Broken(dspy.BaseLM):
        def forward(self, prompt=None, messages=None, **kwargs):
            raise ConnectionError("gone")

    predict = dspy.Predict("q -> answer: int")
    with dspy.context(lm=Broken("own/broken")):
        notes.raises("a model's own error", lambda: predict(q="?"))
    with dspy.context(lm=scripted(dspy, ["nonsense"])):
        error = notes.raises("cannot be read", lambda: predict(q="?"))
        notes("attributes", [error.lm_response, error.adapter_name, error.parsed_result or None])
    with dspy.context(lm=scripted(dspy, [chat(answer="many")]), adapter=dspy.JSONAdapter()):
        notes.raises("json", lambda: predict(q="?"))
    with dspy.context(lm=scripted(dspy, [None])):
        notes.raises("no text", lambda: predict(q="?"))
    with dspy.context(lm=scripted(dspy, [""])):
        notes.raises("empty text", lambda: predict(q="?"))


def _openai(text, **message):
    content = {"role": "assistant", "content": text, "tool_calls": None, **message}
    choice = SimpleNamespace(index=0, finish_reason="stop", message=SimpleNamespace(**content))
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return SimpleNamespace(model="own-1", choices=[choice], usage=usage)
