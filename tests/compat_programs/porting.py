"""Portable programs: whole small applications, and the corners that porting one meets."""

import asyncio
import json
import logging
import threading
from typing import Literal

import pydantic

from tests.compat_programs.observing import chat, part, program, scripted


@program
def retrieval_pipeline(dspy, notes):
    passages = ["Lisbon is in Portugal.", "Rome is in Italy.", "Oslo is in Norway."]

    class Query(dspy.Signature):
        """Write a search query."""

        question: str = dspy.InputField()
        past: list[str] = dspy.InputField(desc="earlier queries")
        query: str = dspy.OutputField()

    class Hops(dspy.Module):
        def __init__(self, hops=2):
            super().__init__()
            self.hops = hops
            self.queries = [dspy.ChainOfThought(Query) for _ in range(hops)]
            self.answer = dspy.Predict("context: list[str], question -> answer")

        def forward(self, question):
            context, past = [], []
            for query in self.queries:
                past.append(query(question=question, past=past).query)
                context += [text for text in passages if past[-1] in text]
            prediction = self.answer(context=context, question=question)
            return dspy.Prediction(context=context, answer=prediction.answer, hops=len(past))

    lm = scripted(
        dspy, [chat(reasoning="r", query="Lisbon"), chat(reasoning="r", query="Italy"), chat(answer="both")]
    )
    with dspy.context(lm=lm, trace=[]):
        notes("answer", Hops()(question="where?"))
        notes("trace", [[inputs, outputs] for _, inputs, outputs in dspy.settings.trace])
    notes("prompts", lm.prompts())


@program
def classifier_with_a_metric_that_asks(dspy, notes):
    class Classify(dspy.Signature):
        """Classify the sentence."""

        sentence: str = dspy.InputField()
        sentiment: Literal["positive", "negative", "neutral"] = dspy.OutputField()
        confidence: float = dspy.OutputField()

    class Assess(dspy.Signature):
        """Assess it."""

        text: str = dspy.InputField()
        question: str = dspy.InputField()
        good: bool = dspy.OutputField()

    def answer(messages):
        if "Assess" in messages[0]["content"]:
            return chat(good="True" if "positive" in messages[-1]["content"] else "False")
        return chat(
            sentiment="positive" if "love" in messages[-1]["content"] else "negative", confidence="0.9"
        )

    judge = dspy.Predict(Assess)

    def metric(example, pred, trace=None):
        return judge(text=pred.sentiment, question="Is it?").good and pred.confidence > 0.5

    lm = scripted(dspy, answer)
    devset = [dspy.Example(sentence=s).with_inputs("sentence") for s in ("I love it", "I hate it", "love!")]
    with dspy.context(lm=lm):
        result = dspy.Evaluate(devset=devset, metric=metric, num_threads=2)(dspy.Predict(Classify))
    notes("score", [result.score, [score for _, _, score in result.results]])


@program
def threads_and_tasks(dspy, notes):
    lm = scripted(dspy, lambda messages: chat(answer="1" if "one" in messages[-1]["content"] else "2"))
    predict = dspy.Predict("question -> answer")

    async def gathered():
        with dspy.context(lm=lm):
            return [
                p.answer
                for p in await asyncio.gather(predict.acall(question="one"), predict.acall(question="two"))
            ]

    notes("gathered", asyncio.run(gathered()))

    async def separate():
        async def one(answer):
            with dspy.context(lm=scripted(dspy, [chat(answer=answer)])):
                await asyncio.sleep(0)
                return (await predict.acall(question="?")).answer

        return await asyncio.gather(*(one(str(i)) for i in range(3)))

    notes("separate contexts", asyncio.run(separate()))
    notes("asyncify", asyncio.run(_within(dspy, lm, lambda: dspy.asyncify(predict)(question="one"))))
    results = []

    def work():
        with dspy.context(lm=lm):
            results.append(predict(question="one").answer)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    notes("threads", results)

    class Async(dspy.Module):
        def __init__(self):
            super().__init__()
            self.ask = dspy.ChainOfThought("question -> answer")

        async def aforward(self, question):
            await asyncio.sleep(0)
            return await self.ask.acall(question=question)

    with dspy.context(lm=scripted(dspy, [chat(reasoning="r", answer="a")])):
        notes("aforward", asyncio.run(Async().acall(question="?")))
        notes("syncify", dspy.syncify(Async())(question="?"))


async def _within(dspy, lm, call):
    with dspy.context(lm=lm):
        return await call()


@program
def dynamic_signatures(dspy, notes):
    fields = {"text": (str, dspy.InputField(desc="any")), "n": (int, dspy.InputField())}
    outputs = {f"out{i}": (list[str], dspy.OutputField(desc=f"number {i}")) for i in range(2)}
    signature = dspy.Signature({**fields, **outputs}, "Do it.")
    notes("shape", [signature.signature, signature.instructions, signature.__name__])
    named = dspy.make_signature("a -> b", "Text.", "MyName")
    notes("named", [named.__name__, named.instructions])
    base = dspy.Signature("question -> answer")
    for index in range(3):
        base = base.append(f"extra{index}", dspy.OutputField(desc="e"), type_=int)
    notes("grown", base.signature)
    predict = dspy.Predict(base)
    predict.signature = predict.signature.with_instructions("Now like this.")
    lm = scripted(dspy, [chat(answer="a", extra0="1", extra1="2", extra2="3")])
    with dspy.context(lm=lm):
        notes("values", predict(question="?"))
    notes("prompt", lm.prompts())
    notes(
        "fields",
        [
            [name, field.json_schema_extra["__dspy_field_type"], field.json_schema_extra["desc"]]
            for name, field in signature.fields.items()
        ],
    )
    notes("required", [field.is_required() for field in signature.fields.values()])

    class WithDefault(dspy.Signature):
        """D."""

        q: str = dspy.InputField()
        style: str = dspy.InputField(default="short")
        a: str = dspy.OutputField()

    lm = scripted(dspy, [chat(a="x")])
    with dspy.context(lm=lm):
        notes("default", dspy.Predict(WithDefault)(q="?"))
        notes("given", dspy.Predict(WithDefault)(q="?", style="long"))
    notes("prompts", lm.prompts())
    notes(
        "defaults", [WithDefault.fields["style"].default, WithDefault.input_fields["q"].annotation.__name__]
    )


@program
def demos_of_all_kinds(dspy, notes):
    signature = dspy.Signature("question, context: list[str] -> reasoning, answer: int")
    predict = dspy.Predict(signature)
    predict.demos = [
        dspy.Example(question="q1", context=["c"], reasoning="r", answer=1),
        {"question": "q2", "context": ["c", "d"], "reasoning": "r", "answer": 2},
        dspy.Example(question="q3", answer=3),
        dspy.Example(question="only inputs", context=[]),
        dspy.Example(answer=9, unrelated="x"),
        dspy.Example(question="q4", context=None, reasoning=None, answer=4),
        dspy.Prediction(question="q5", context=["e"], reasoning="r", answer=5),
    ]
    for adapter, answer in (
        (dspy.ChatAdapter(), chat(reasoning="r", answer="7")),
        (dspy.JSONAdapter(), '{"reasoning": "r", "answer": 7}'),
        (dspy.XMLAdapter(), "<reasoning>r</reasoning><answer>7</answer>"),
    ):
        lm = scripted(dspy, [answer])
        with dspy.context(lm=lm, adapter=adapter):
            notes("answer", predict(question="new", context=["x", "multi\nline", ""]))
        notes("prompt", lm.prompts())


@program
def values_that_are_hard_to_write(dspy, notes):
    lm = scripted(dspy, [chat(b="x")])
    with dspy.context(lm=lm):
        predict = dspy.Predict("a -> b")
        for value in (
            "",
            "  padded  ",
            "multi\nline",
            "[[ ## b ## ]]",
            "üñí ✓",
            3,
            1.5,
            True,
            None,
            {"k": [1]},
            [],
            {"a"},
            ("t", 1),
            b"bytes",
        ):
            notes.raises(repr(value), lambda value=value: predict(a=value).b)
        typed = dspy.Predict("a: list[str] -> b")
        for value in ([], ["one"], ["one", "two\nlines"], ["<<x>>"], "not a list", ("t",)):
            notes.raises(repr(value), lambda value=value: typed(a=value).b)
    notes("prompts", [messages[-1] for messages in lm.prompts()])


@program
def lists_in_text_fields(dspy, notes):
    with dspy.context(lm=scripted(dspy, [chat(b="x")])):
        notes.raises("mixed", lambda: dspy.Predict("a -> b")(a=["x", 1]).b)
        notes.raises("none", lambda: dspy.Predict("a -> b")(a=[None]).b)


@program
def answers_with_special_text(dspy, notes):
    lm = scripted(
        dspy,
        [
            chat(a="line 1\n\nline 2", b="```python\nx = [[1]]\n```"),
            chat(a="  spaced  ", b="None"),
            chat(a="", b=""),
        ],
    )
    predict = dspy.Predict("q -> a, b")
    with dspy.context(lm=lm):
        for _ in range(3):
            notes("answer", predict(q="?"))
    lists = scripted(
        dspy, [chat(xs="- one\n- two"), chat(xs="one"), chat(xs='["one", "it\'s"]'), chat(xs="[1, 2]")]
    )
    predict = dspy.Predict("q -> xs: list[str]")
    with dspy.context(lm=lists, adapter=dspy.ChatAdapter(use_json_adapter_fallback=False)):
        notes.raises("quoted", lambda: (predict(q="?"), predict(q="?"))[0] and None)
    text = scripted(dspy, [chat(xs='["one", "it\'s"]')])
    with dspy.context(lm=text):
        notes("list", predict(q="?"))


@program
def nested_types_as_json_schema(dspy, notes):
    class Part(pydantic.BaseModel):
        """A part."""

        name: str = pydantic.Field(description="its name", min_length=1)
        tags: list[Literal["a", "b"]] = pydantic.Field(default_factory=list, max_length=3)

    class Whole(pydantic.BaseModel):
        parts: list[Part]
        index: dict[str, Part] = {}
        parent: "Whole | None" = None

    Whole.model_rebuild(_types_namespace={"Whole": Whole, "Part": Part})
    signature = dspy.Signature(
        "text -> whole: Whole, many: list[Part], maybe: Optional[Part]",
        custom_types={"Whole": Whole, "Part": Part},
    )
    for adapter in (dspy.ChatAdapter(), dspy.JSONAdapter(), dspy.XMLAdapter()):
        notes(type(adapter).__name__, adapter.format(signature, [], {"text": "t"}))
    value = {"parts": [{"name": "p", "tags": ["a"]}], "parent": {"parts": []}}
    lm = scripted(dspy, [chat(whole=json.dumps(value), many="[]", maybe="null")])
    with dspy.context(lm=lm):
        notes("value", dspy.Predict(signature)(text="t"))


@program
def logging_of_users(dspy, notes):
    notes("logger", logging.getLogger(dspy.__name__).name == dspy.__name__)
    with notes.logs("type mismatch", dspy), dspy.context(lm=scripted(dspy, [chat(b="x")])):
        dspy.Predict("a: int -> b")(a="text")
        dspy.Predict("a: list[str] -> b")(a={"x": 1})
        dspy.Predict("a -> b")(a=3)


@program
def setting_lms_of_parts(dspy, notes):
    one, two = (
        scripted(dspy, [chat(reasoning="1", b="one", c="one")]),
        scripted(dspy, [chat(reasoning="2", b="two", c="two")]),
    )

    class Program(dspy.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = dspy.Predict("a -> b"), dspy.ChainOfThought("b -> c")

        def forward(self, a):
            return self.second(b=self.first(a=a).b)

    made = Program()
    made.first.lm = one
    with dspy.context(lm=two):
        notes("mixed", made(a="?"))
        notes.raises("get_lm", lambda: made.get_lm() is None)
    made.set_lm(one)
    notes("set", [made(a="?"), made.get_lm() is one])
    notes("histories", [len(one.history), len(two.history), len(made.history), len(made.first.history)])
    copy = made.deepcopy()
    notes("copy shares or copies", [type(copy.first.lm).__name__, copy.first.lm is one])
    made.second.lm = two
    notes("cot lm", [made.second(b="x").c])


@program
def caching_by_the_lm(dspy, notes):
    utils = part(dspy, "utils")
    lm = utils.DummyLM([{"answer": "1"}, {"answer": "2"}])
    predict = dspy.Predict("question -> answer")
    with dspy.context(lm=lm):
        notes("dummy does not cache", [predict(question="same").answer, predict(question="same").answer])
        notes("rollout", predict(question="same", config={"rollout_id": 1, "temperature": 1.0}).answer)
    dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=True)


@program
def best_of_n_with_failures(dspy, notes):
    counter = iter(range(100))

    class Flaky(dspy.Module):
        def __init__(self, fails):
            super().__init__()
            self.fails = fails
            self.ask = dspy.Predict("question -> answer")

        def forward(self, question):
            number = next(counter)
            if number in self.fails:
                raise ValueError(f"attempt {number}")
            return self.ask(question=question)

    lm = scripted(dspy, [chat(answer="a")])
    with dspy.context(lm=lm):
        notes(
            "one fails",
            dspy.BestOfN(Flaky({0}), N=3, reward_fn=lambda args, pred: 0.5, threshold=1.0)(question="?"),
        )
        counter = iter(range(100))
        notes.raises(
            "too many fail",
            lambda: dspy.BestOfN(
                Flaky({0, 1, 2}), N=3, reward_fn=lambda a, p: 1.0, threshold=1.0, fail_count=1
            )(question="?"),
        )


@program
def names_that_programs_import(dspy, notes):
    for path, names in {
        "": [
            "Predict",
            "ChainOfThought",
            "Example",
            "Prediction",
            "Evaluate",
            "settings",
            "InputField",
            "Image",
            "History",
            "BaseLM",
            "Adapter",
            "Type",
            "majority",
            "Embedder",
            "KNN",
            "load",
            "asyncify",
            "syncify",
            "streamify",
            "track_usage",
            "inspect_history",
            "configure_cache",
            "Module",
            "Completions",
            "LabeledFewShot",
            "ensure_signature",
        ],
        "utils": ["DummyLM", "dummy_rm", "DummyVectorizer"],
        "utils.callback": ["BaseCallback", "with_callbacks"],
        "evaluate": [
            "Evaluate",
            "answer_exact_match",
            "SemanticF1",
            "CompleteAndGrounded",
            "EM",
            "normalize_text",
        ],
        "primitives": ["Example", "Module", "Prediction"],
        "signatures": ["Signature", "InputField", "OutputField", "make_signature"],
        "adapters": ["Adapter", "ChatAdapter", "JSONAdapter", "XMLAdapter", "Image", "History"],
        "adapters.types": ["Image", "Audio", "History", "Type"],
        "clients": ["LM", "BaseLM", "Embedder"],
        "predict": [
            "Predict",
            "ChainOfThought",
            "BestOfN",
            "Refine",
            "MultiChainComparison",
            "majority",
            "Parallel",
            "KNN",
        ],
        "teleprompt": ["LabeledFewShot", "Teleprompter"],
        "utils.exceptions": ["AdapterParseError"],
        "primitives.prediction": ["Prediction", "Completions"],
        "adapters.chat_adapter": ["ChatAdapter"],
        "dsp.utils": ["settings"],
    }.items():
        where = part(dspy, path) if path else dspy
        notes(path or "top", [name for name in names if not hasattr(where, name)])
