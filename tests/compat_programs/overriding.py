"""Portable programs: subclasses that override the calls themselves."""

import asyncio
from types import SimpleNamespace

from tests.compat_programs.observing import chat, part, program, scripted


def _completion(text):
    message = SimpleNamespace(role="assistant", content=text, tool_calls=None)
    choice = SimpleNamespace(index=0, finish_reason="stop", message=message)
    return SimpleNamespace(
        model="own", choices=[choice], usage={"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    )


@program
def models_that_override_the_call(dspy, notes):
    calls = []

    class Wrapped(dspy.BaseLM):
        def forward(self, prompt=None, messages=None, **kwargs):
            calls.append("forward")
            return _completion(chat(answer="inner"))

        def __call__(self, prompt=None, messages=None, **kwargs):
            calls.append(["call", prompt, len(messages or []), kwargs])
            return super().__call__(prompt=prompt, messages=messages, **kwargs)

    class Replaced(dspy.BaseLM):
        def __call__(self, prompt=None, messages=None, **kwargs):
            calls.append("replaced")
            return [chat(answer="replaced")]

    class Awaited(dspy.BaseLM):
        async def acall(self, prompt=None, messages=None, **kwargs):
            calls.append("acall")
            return [chat(answer="awaited")]

        def __call__(self, prompt=None, messages=None, **kwargs):
            calls.append("call")
            return [{"text": chat(answer="called"), "reasoning_content": "thought"}]

    predict = dspy.Predict("question -> answer", temperature=0.4)
    for make in (Wrapped, Replaced, Awaited):
        with dspy.context(lm=make("own/model")):
            notes.raises(f"{make.__name__} by predict", lambda: predict(question="?"))
        notes.raises(f"{make.__name__} directly", lambda make=make: make("own/model")("hello"))
    with dspy.context(lm=Awaited("own/model")):
        notes.raises("awaited", lambda: asyncio.run(predict.acall(question="?")))
    notes("calls", calls)


@program
def lm_with_its_own_forward(dspy, notes):
    calls = []

    class Offline(dspy.LM):
        def forward(self, prompt=None, messages=None, **kwargs):
            calls.append([prompt, messages, sorted(kwargs)])
            return _completion(chat(answer="offline"))

        async def aforward(self, prompt=None, messages=None, **kwargs):
            calls.append("async")
            return _completion(chat(answer="offline, async"))

    class Counting(dspy.LM):
        count = 0

        def __call__(self, *args, **kwargs):
            self.count += 1
            return [chat(answer=f"number {self.count}")]

    predict = dspy.Predict("question -> answer")
    lm = Offline("openai/gpt-4o-mini", api_key="none", temperature=0.3, cache=False)
    with dspy.context(lm=lm):
        notes("by predict", predict(question="?"))
        notes("async", asyncio.run(predict.acall(question="?")))
    notes("directly", lm("hello", max_tokens=5))
    notes("calls", calls)
    lm = Counting("openai/gpt-4o-mini", api_key="none")
    with dspy.context(lm=lm):
        notes("counting", [predict(question="?").answer, predict(question="!").answer])
    notes("count", lm.count)


@program
def adapters_that_override_the_call(dspy, notes):
    calls = []

    class Retrying(dspy.ChatAdapter):
        def __call__(self, lm, lm_kwargs, signature, demos, inputs):
            calls.append(["call", lm_kwargs, signature.signature, len(demos), inputs])
            return super().__call__(lm, {**lm_kwargs, "stop": ["END"]}, signature, demos, inputs)

    class Both(dspy.ChatAdapter):
        def __call__(self, lm, lm_kwargs, signature, demos, inputs):
            return [{"answer": "sync"}]

        async def acall(self, lm, lm_kwargs, signature, demos, inputs):
            return [{"answer": "async"}]

    class Fixed(dspy.Adapter):
        def __call__(self, lm, lm_kwargs, signature, demos, inputs):
            calls.append("fixed")
            return [{name: f"{name}!" for name in signature.output_fields}]

    predict = dspy.Predict("question -> answer")
    lm = scripted(dspy, [chat(answer="x")])
    with dspy.context(lm=lm, adapter=Retrying()):
        notes("retrying", predict(question="?"))
    with dspy.context(lm=lm, adapter=Both()):
        notes("both", [predict(question="?").answer, asyncio.run(predict.acall(question="?")).answer])
    with dspy.context(lm=lm, adapter=Fixed()):
        notes("fixed", predict(question="?"))
    notes("calls", calls)
    notes("sent", [kwargs for _, kwargs in lm.sent])


@program
def modules_that_override_the_call(dspy, notes):
    calls = []

    class Logged(dspy.Module):
        def __init__(self):
            super().__init__()
            self.ask = dspy.Predict("question -> answer")

        def __call__(self, *args, **kwargs):
            calls.append(["call", kwargs])
            return super().__call__(*args, **kwargs)

        def forward(self, question):
            return self.ask(question=question)

    class Loud(dspy.Predict):
        def forward(self, **kwargs):
            calls.append(["loud", kwargs])
            out = super().forward(**kwargs)
            out.answer = out.answer.upper()
            return out

    class Thinking(dspy.ChainOfThought):
        def forward(self, **kwargs):
            calls.append("thinking")
            return super().forward(**kwargs)

    class Positional(dspy.Module):
        def forward(self, first, second="b", *, third="c"):
            return f"{first}{second}{third}"

    lm = part(dspy, "utils").DummyLM([{"reasoning": "r", "answer": "a"}] * 20)
    with dspy.context(lm=lm):
        notes("logged", Logged()(question="?"))
        devset = [dspy.Example(question="q", answer="a").with_inputs("question")]
        notes(
            "evaluated",
            dspy.Evaluate(devset=devset, metric=lambda e, p, t=None: e.answer == p.answer)(Logged()).score,
        )
        notes("batched", Logged().batch(devset, disable_progress_bar=True))
        notes("parallel", dspy.Parallel(num_threads=1, disable_progress_bar=True)([(Logged(), devset[0])]))
        notes("loud", Loud("question -> answer")(question="?"))
        notes("thinking", Thinking("question -> answer")(question="?"))
        notes("positional", [Positional()("a"), Positional()("x", "y", third="z"), Positional()(first="1")])
        notes(
            "best of n",
            dspy.BestOfN(Logged(), N=1, reward_fn=lambda args, pred: 1.0, threshold=0.5)(question="?"),
        )
    notes("calls", calls)


@program
def modules_that_return_other_things(dspy, notes):
    class Returns(dspy.Module):
        def __init__(self, value):
            super().__init__()
            self.value = value

        def forward(self, question):
            return self.value

    devset = [dspy.Example(question="q", answer="a").with_inputs("question")]
    for value in ("text", 3, None, {"answer": "a"}, ["a"], dspy.Example(answer="a")):
        notes(f"{type(value).__name__}", Returns(value)(question="?"))
        notes.raises(
            "evaluated",
            lambda value=value: (
                dspy.Evaluate(devset=devset, metric=lambda e, p, t=None: p == value)(Returns(value)).score
            ),
        )

    class Generator(dspy.Module):
        def forward(self, n):
            yield from range(n)

    notes("generator", list(Generator()(n=3)))


@program
def modules_keep_their_attributes(dspy, notes):
    class Program(dspy.Module):
        limit = 3

        def __init__(self, name):
            self.name = name
            self.ask = dspy.Predict("question -> answer")
            self.frozen = dspy.Predict("a -> b")
            self.frozen._compiled = True
            self.lm_of_its_own = None

        @property
        def title(self):
            return f"<{self.name}>"

        def forward(self, question):
            return self.ask(question=question)

    made = Program("x")
    notes("without super().__init__", [name for name, _ in made.named_predictors()])
    notes("property", made.title)
    notes("compiled parts", [name for name, _ in made.named_sub_modules(skip_compiled=True)])
    notes("callbacks", [made.callbacks, made.history, made._compiled])
    made.ask = dspy.ChainOfThought("question -> answer")
    notes("replaced", [name for name, _ in made.named_predictors()])
    made.named = {"a": [dspy.Predict("x -> y"), "text"], "b": {"c": dspy.Predict("x -> z")}}
    notes("deep structures", [name for name, _ in made.named_parameters()])
    notes.raises("unknown", lambda: made.nothing)
    notes("predictors", [type(item).__name__ for item in made.predictors()])
    notes("set_lm", [made.set_lm(None), made.get_lm()])
