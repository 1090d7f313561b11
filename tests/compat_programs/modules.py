"""Portable programs: modules that hold modules, reasoning, comparing, choosing."""

import asyncio

from tests.compat_programs.observing import chat, part, program, scripted, unordered, without_names


@program
def nested_modules(dspy, notes):
    class Inner(dspy.Module):
        def __init__(self):
            super().__init__()
            self.ask = dspy.Predict("q -> a")

        def forward(self, q):
            return self.ask(q=q)

    class Outer(dspy.Module):
        def __init__(self):
            super().__init__()
            self.steps = [dspy.Predict("a -> b"), dspy.ChainOfThought("b -> c")]
            self.by_name = {"x": Inner(), "y": dspy.Predict("x -> y")}
            self.shared = self.steps[0]
            self.number = 3

        def forward(self, a):
            b = self.steps[0](a=a).b
            return self.steps[1](b=b)

    outer = Outer()
    notes("predictors", [name for name, _ in outer.named_predictors()])
    notes("parameters", [name for name, _ in outer.named_parameters()])
    notes("modules", [[name, type(module).__name__] for name, module in outer.named_sub_modules()])
    notes("repr", unordered(repr(outer)))
    notes("state", without_names(outer.dump_state()))
    lm = scripted(dspy, [chat(b="B"), chat(reasoning="R", c="C")])
    with dspy.context(lm=lm):
        notes("called", outer(a="A"))
    notes("prompts", lm.prompts())
    copy = outer.deepcopy()
    copy.steps[0].demos = [dspy.Example(a="1", b="2")]
    notes("copy is separate", [len(outer.steps[0].demos), len(copy.steps[0].demos)])
    outer.set_lm(lm)
    notes("get_lm", outer.get_lm() is lm)
    notes("reset copy", [predictor.lm for predictor in outer.reset_copy().predictors()])
    outer.map_named_predictors(lambda predictor: dspy.Predict("only -> this"))
    notes("mapped", [str(p.signature.signature) for p in outer.predictors()])


@program
def predict_calls(dspy, notes):
    lm = scripted(dspy, [chat(answer="four")], temperature=0.3, max_tokens=50)
    predict = dspy.Predict("question, hint -> answer", temperature=0.9)
    with dspy.context(lm=lm):
        notes("plain", predict(question="2+2", hint="h"))
        with notes.logs("missing input", dspy):
            notes("missing", predict(question="2+2"))
        with notes.logs("extra input", dspy):
            notes("extra", predict(question="2+2", hint="h", other="o"))
        notes.raises("positional", lambda: predict("2+2"))
        notes("config", predict(question="q", hint="h", config={"temperature": 0.1, "n": 1, "stop": ["x"]}))
        notes(
            "own signature",
            predict(question="q", hint="h", signature=dspy.Signature("question, hint -> answer", "New.")),
        )
        notes(
            "demos", predict(question="q", hint="h", demos=[dspy.Example(question="a", hint="b", answer="c")])
        )
    notes("sent", [[messages, kwargs] for messages, kwargs in lm.sent])
    other = scripted(dspy, [chat(answer="five")])
    notes("lm argument", predict(question="q", hint="h", lm=other))
    notes("repr", unordered(repr(dspy.Predict("a -> b"))))
    notes("config of predict", predict.get_config())
    predict.update_config(top_p=0.5) if hasattr(predict, "update_config") else None
    with dspy.context(lm=None):
        notes.raises("no lm", lambda: predict(question="q", hint="h"))
    notes.raises("string as lm", lambda: predict(question="q", hint="h", lm="openai/gpt-4o"))
    predict.demos = [dspy.Example(question="a", hint="b", answer="c")]
    predict.reset()
    notes("reset", [predict.demos, predict.traces, predict.train, predict.lm])


@program
def several_completions(dspy, notes):
    lm = scripted(dspy, [[chat(answer=f"a{i}", score=str(i)) for i in range(3)]])
    predict = dspy.Predict("q -> answer, score: int", n=3)
    with dspy.context(lm=lm):
        out = predict(q="?")
    notes("first", out)
    notes("completions", out.completions.answer)
    notes("scores", out.completions.score)
    notes("length", len(out.completions))
    notes("second", out.completions[1])
    notes("items", dict(out.completions.items()))
    notes("majority of a field", dspy.majority(out, field="answer"))
    notes("kwargs", lm.sent[0][1])
    notes("repr", repr(out))
    notes("repr of completions", repr(out.completions))


@program
def chain_of_thought(dspy, notes):
    class Answer(dspy.Signature):
        """Answer the question."""

        question: str = dspy.InputField()
        answer: int = dspy.OutputField()

    lm = scripted(dspy, [chat(reasoning="because", answer="5")])
    with dspy.context(lm=lm):
        plain = dspy.ChainOfThought(Answer)
        notes("plain", plain(question="2+3"))
        custom = dspy.ChainOfThought(
            "question -> answer", rationale_field=dspy.OutputField(prefix="Think:", desc="step by step")
        )
        notes("rationale field", custom(question="2+3"))
        typed = dspy.ChainOfThought("question -> answer", rationale_field_type=list[str])
        notes("rationale type", typed.predict.signature.output_fields["reasoning"].annotation.__name__)
        notes("config", dspy.ChainOfThought("question -> answer", temperature=0.7, n=1)(question="x"))
        notes("acall", asyncio.run(plain.acall(question="3+3")))
    notes("sent", [[messages, kwargs] for messages, kwargs in lm.sent])
    notes("state", without_names(plain.dump_state()))
    notes("predictors", [name for name, _ in plain.named_predictors()])


@program
def multi_chain_comparison(dspy, notes):
    lm = scripted(dspy, [chat(rationale="thought", answer="blue")])
    attempts = [
        {"reasoning": "the sky\nis a thing", "answer": "blue"},
        dspy.Prediction(rationale="I think", answer="grey."),
        dspy.Example(reasoning="  maybe ", answer="azure"),
    ]
    compare = dspy.MultiChainComparison("question -> answer", M=3, temperature=0.5)
    with dspy.context(lm=lm):
        notes("compared", compare(attempts, question="What color?"))
        notes.raises("too few", lambda: compare(attempts[:2], question="What color?"))
        notes(
            "completions",
            compare(
                dspy.Prediction.from_completions(
                    [{"reasoning": f"r{i}", "answer": "x"} for i in range(3)]
                ).completions,
                question="?",
            ),
        )
    notes("sent", [[messages, kwargs] for messages, kwargs in lm.sent])


@program
def best_of_n(dspy, notes):
    counter = iter(range(100))

    def answer(messages):
        return chat(answer=["no", "maybe", "yes", "never"][next(counter) % 4])

    lm = scripted(dspy, answer)
    seen = []

    def reward(args, prediction):
        seen.append([args, prediction.answer])
        return {"yes": 1.0, "maybe": 0.5}.get(prediction.answer, 0.0)

    with dspy.context(lm=lm):
        best = dspy.BestOfN(module=dspy.Predict("question -> answer"), N=4, reward_fn=reward, threshold=1.0)
        notes("best", best(question="?"))
        notes(
            "none is good enough",
            dspy.BestOfN(dspy.Predict("question -> answer"), 3, reward, 2.0)(question="!"),
        )
        notes(
            "one",
            dspy.BestOfN(
                dspy.ChainOfThought("question -> answer"), N=1, reward_fn=lambda a, p: 1, threshold=0.5
            ).named_predictors(),
        )
    notes("rewards", seen)
    notes("calls", len(lm.sent))


@program
def refine(dspy, notes):
    counter = iter(range(100))

    def answer(messages):
        if "advice" in str(messages[0]):
            return chat(discussion="it was long", advice='{"self": "be short"}', predict="x")
        return chat(answer=["a long answer", "short"][min(next(counter), 1)])

    lm = scripted(dspy, answer)

    def one_word(args, prediction):
        """Is it one word?"""
        return float(len(prediction.answer.split()) == 1)

    with dspy.context(lm=lm):
        refined = dspy.Refine(
            module=dspy.Predict("question -> answer"), N=3, reward_fn=one_word, threshold=1.0
        )
        notes("refined", refined(question="?"))
    notes("number of calls", len(lm.sent))
    notes("last prompt", lm.prompts()[-1])


@program
def majority_votes(dspy, notes):
    make = dspy.Prediction.from_completions
    notes(
        "list of predictions", dspy.majority([dspy.Prediction(answer=a) for a in ("The Cat", "dog", "cat!")])
    )
    notes(
        "dicts",
        dspy.majority([{"q": "1", "answer": "x"}, {"q": "2", "answer": "y"}, {"q": "3", "answer": "y"}]),
    )
    notes("completions", dspy.majority(make([{"answer": "u"}, {"answer": "v"}, {"answer": "v"}]).completions))
    notes(
        "field",
        dspy.majority(make([{"a": "u", "b": "1"}, {"a": "v", "b": "1"}, {"a": "v", "b": "2"}]), field="a"),
    )
    notes("normalize", dspy.majority(make([{"a": "U"}, {"a": "u"}, {"a": "v"}]), normalize=str.lower))
    notes("no normalize", dspy.majority(make([{"a": "U"}, {"a": "u"}, {"a": "u"}]), normalize=None))
    notes("tie", dspy.majority(make([{"a": "1"}, {"a": "2"}])))


@program
def knn(dspy, notes):
    import numpy as np

    def vectorize(texts):
        return np.array(
            [[text.count("a"), text.count("b"), len(text) / 10] for text in texts], dtype=np.float32
        )

    trainset = [
        dspy.Example(question=q, answer=q[0]).with_inputs("question") for q in ("aaa", "bbb", "ab", "cc")
    ]
    search = dspy.KNN(k=2, trainset=trainset, vectorizer=dspy.Embedder(vectorize))
    notes("near", search(question="aab"))
    notes("near b", search(question="bb"))


@program
def parallel_and_batch(dspy, notes):
    DummyLM = part(dspy, "utils").DummyLM
    lm = DummyLM({f"q{i}": {"answer": f"a{i}"} for i in range(5)})
    examples = [dspy.Example(question=f"q{i}").with_inputs("question") for i in range(5)]
    predict = dspy.Predict("question -> answer")

    class Picky(dspy.Module):
        def forward(self, question):
            if question in ("q1", "q3"):
                raise ValueError(f"not {question}")
            return dspy.Prediction(answer=question.upper())

    with dspy.context(lm=lm):
        notes("batch", predict.batch(examples, num_threads=2, disable_progress_bar=True))
        parallel = dspy.Parallel(num_threads=2, disable_progress_bar=True)
        notes("parallel", parallel([(predict, example) for example in examples]))
        notes("parallel dicts", parallel([(predict, {"question": "q1"}), (predict, {"question": "q2"})]))
        with notes.logs("failures", dspy):
            notes("failed", Picky().batch(examples, num_threads=1, max_errors=5, disable_progress_bar=True))
        got, failed, errors = Picky().batch(
            examples, num_threads=1, max_errors=5, return_failed_examples=True, disable_progress_bar=True
        )
        notes("returned failures", [got, failed, errors])
        notes.raises(
            "tuples",
            lambda: dspy.Parallel(num_threads=1, access_examples=False, disable_progress_bar=True)(
                [(lambda question: question, {"question": "x"})]
            ),
        )
