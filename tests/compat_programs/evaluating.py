"""Portable programs: Evaluate with metrics of all kinds, LabeledFewShot, DummyLM."""

import asyncio
import csv
import json
import tempfile
from pathlib import Path

from tests.compat_programs.observing import chat, part, program, scripted


def _devset(dspy, n=4):
    return [dspy.Example(question=f"q{i}", answer=f"a{i}").with_inputs("question") for i in range(n)]


def _lm(dspy, right=3):
    answers = {f"q{i}": {"answer": f"a{i}" if i < right else "wrong"} for i in range(10)}
    return part(dspy, "utils").DummyLM(answers)


@program
def evaluate_with_metrics_of_all_kinds(dspy, notes):
    devset, predict = _devset(dspy), dspy.Predict("question -> answer")

    def exact(example, pred, trace=None):
        return example.answer == pred.answer

    def number(example, pred):
        return 0.25 if pred.answer == "wrong" else 1.0

    def strict(example, pred, trace=None):
        return dspy.Prediction(score=float(example.answer == pred.answer), feedback="look again")

    class Judge(dspy.Module):
        def forward(self, example, pred, trace=None):
            return example.answer == pred.answer

    def by_position(gold, guess, _trace=None):
        return int(gold.answer == guess.answer)

    metrics = [exact, number, strict, Judge(), by_position, part(dspy, "evaluate").answer_exact_match]
    for metric in metrics:
        with dspy.context(lm=_lm(dspy)):
            result = dspy.Evaluate(devset=devset, metric=metric, num_threads=2, display_progress=False)(
                predict
            )
        notes(getattr(metric, "__name__", type(metric).__name__), [result.score, result.results])
    with dspy.context(lm=_lm(dspy)):
        evaluate = dspy.Evaluate(devset=devset, metric=exact)
        notes("override", evaluate(predict, devset=devset[:2]).score)
        notes("other metric", evaluate(predict, metric=number).score)
        notes("callable", evaluate(lambda question: dspy.Prediction(answer="a1")).score)
        notes.raises("no devset", lambda: dspy.Evaluate(devset=[], metric=exact)(predict).score)


@program
def evaluate_with_failures(dspy, notes):
    devset = _devset(dspy)

    class Sometimes(dspy.Module):
        def forward(self, question):
            if question == "q2":
                raise RuntimeError("broken")
            return dspy.Prediction(answer=question.replace("q", "a"))

    def metric(example, pred, trace=None):
        return example.answer == pred.answer

    def fragile(example, pred, trace=None):
        if example.question == "q1":
            raise KeyError("metric")
        return 1

    with notes.logs("program logs", dspy):
        result = dspy.Evaluate(devset=devset, metric=metric, num_threads=1, failure_score=-1.0)(Sometimes())
    notes("failure score", [result.score, [score for _, _, score in result.results]])
    notes("failed prediction", result.results[2][1])
    result = dspy.Evaluate(devset=devset, metric=fragile, num_threads=1)(
        lambda question: dspy.Prediction(answer="")
    )
    notes("failing metric", [result.score, [score for _, _, score in result.results]])
    notes.raises(
        "too many",
        lambda: dspy.Evaluate(devset=devset, metric=metric, num_threads=1, max_errors=1)(Sometimes()).score,
    )


@program
def evaluate_writes_files(dspy, notes):
    with tempfile.TemporaryDirectory() as folder:
        table, data = Path(folder, "r.csv"), Path(folder, "r.json")

        def accuracy(example, pred, trace=None):
            return example.answer == pred.answer

        with dspy.context(lm=_lm(dspy)):
            dspy.Evaluate(
                devset=_devset(dspy), metric=accuracy, save_as_csv=str(table), save_as_json=str(data)
            )(dspy.Predict("question -> answer"))
        notes("csv", list(csv.reader(table.read_text().splitlines())))
        notes("json", json.loads(data.read_text()))


@program
def evaluate_shows_a_table(dspy, notes):
    with notes.printed("nothing is shown"), dspy.context(lm=_lm(dspy)):
        dspy.Evaluate(devset=_devset(dspy), metric=lambda e, p, t=None: True, display_table=False)(
            dspy.Predict("question -> answer")
        )


@program
def dummy_lm_in_order(dspy, notes):
    DummyLM = part(dspy, "utils").DummyLM
    lm = DummyLM([{"answer": "one"}, {"answer": "two", "extra": 3}])
    predict = dspy.Predict("question -> answer")
    with dspy.context(lm=lm):
        notes("first", predict(question="?"))
        notes("second", predict(question="?"))
        notes("third", predict(question="?"))
    notes("raw", DummyLM([{"answer": "x", "list": ["a", 1]}])("hello"))
    notes("messages", DummyLM([{"answer": "x"}])(messages=[{"role": "user", "content": "hi"}]))
    notes("n", DummyLM([{"answer": "x"}, {"answer": "y"}])("hello", n=2))
    notes(
        "history",
        [
            {key: entry[key] for key in ("prompt", "messages", "outputs", "cost", "model", "model_type")}
            for entry in lm.history
        ],
    )
    notes("convo", lm.get_convo(0))
    notes("acall", asyncio.run(DummyLM([{"answer": "x"}]).acall("hello")))
    notes("json", DummyLM([{"answer": "x", "n": 2}], adapter=dspy.JSONAdapter())("hello"))
    notes("xml", DummyLM([{"answer": "x", "n": 2}], adapter=dspy.XMLAdapter())("hello"))
    notes("attributes", [lm.model, lm.model_type, lm.kwargs])
    for adapter in (dspy.JSONAdapter(), dspy.XMLAdapter(), dspy.ChatAdapter()):
        with dspy.context(lm=DummyLM([{"answer": "x", "n": 2}], adapter=adapter), adapter=adapter):
            notes(type(adapter).__name__, dspy.Predict("q -> answer, n: int")(q="?"))


@program
def dummy_lm_by_content(dspy, notes):
    DummyLM = part(dspy, "utils").DummyLM
    lm = DummyLM({"sky": {"answer": "blue"}, "grass": {"answer": "green"}})
    predict = dspy.Predict("question -> answer")
    with dspy.context(lm=lm):
        notes("sky", predict(question="the sky?"))
        notes("grass", predict(question="the grass?"))
        notes.raises("other", lambda: predict(question="the sea?"))
    notes("deep copy", [type(predict.deepcopy()).__name__])


@program
def dummy_lm_follows_examples(dspy, notes):
    DummyLM = part(dspy, "utils").DummyLM
    lm = DummyLM([{"answer": "default"}], follow_examples=True)
    demos = [dspy.Example(question="sky?", answer="blue"), dspy.Example(question="sea?", answer="deep blue")]
    predict = dspy.Predict("question -> answer")
    predict.demos = demos
    with dspy.context(lm=lm):
        notes("follows", predict(question="sea?"))
        notes("follows the other", predict(question="sky?"))


@program
def dummy_lm_reasons(dspy, notes):
    DummyLM = part(dspy, "utils").DummyLM
    lm = DummyLM([{"answer": "x"}], reasoning=True)
    notes("raw", lm("hello"))
    with dspy.context(lm=DummyLM([{"reasoning": "because", "answer": "x"}])):
        notes("cot", dspy.ChainOfThought("q -> answer")(q="?"))


@program
def labeled_few_shot(dspy, notes):
    trainset = [dspy.Example(question=f"q{i}", answer=f"a{i}").with_inputs("question") for i in range(10)]
    student = dspy.ChainOfThought("question -> answer")
    compiled = dspy.LabeledFewShot(k=3).compile(student, trainset=trainset)
    notes("sampled", [demo.question for demo in compiled.predict.demos])
    notes("student untouched", len(student.predict.demos))
    notes(
        "first",
        [
            demo.question
            for demo in dspy.LabeledFewShot(k=3)
            .compile(student, trainset=trainset, sample=False)
            .predict.demos
        ],
    )
    notes("small set", len(dspy.LabeledFewShot(k=16).compile(student, trainset=trainset).predict.demos))
    notes("compiled", [compiled._compiled, student._compiled])
    notes("empty", len(dspy.LabeledFewShot(k=3).compile(student, trainset=[]).predict.demos))
    lm = scripted(dspy, [chat(reasoning="r", answer="a")])
    with dspy.context(lm=lm):
        compiled(question="new")
    notes("prompt", lm.prompts()[0])


@program
def semantic_metrics(dspy, notes):
    evaluate = part(dspy, "evaluate")
    lm = part(dspy, "utils").DummyLM([{"reasoning": "r", "precision": 0.5, "recall": 1.0}] * 3)
    with dspy.context(lm=lm):
        example = dspy.Example(question="q", response="gold")
        notes("f1", evaluate.SemanticF1()(example, dspy.Prediction(response="guess")))
        notes(
            "f1 in a trace",
            evaluate.SemanticF1(threshold=0.9)(example, dspy.Prediction(response="guess"), trace=[]),
        )
    for gold, guess in (("Paris", "paris."), (["Rome", "Paris"], "the Paris"), ("a b c", "a b")):
        notes(
            f"em {gold}",
            evaluate.answer_exact_match(dspy.Example(answer=gold), dspy.Prediction(answer=guess)),
        )
    notes(
        "frac",
        evaluate.answer_exact_match(
            dspy.Example(answer="a b c d"), dspy.Prediction(answer="b c d"), frac=0.5
        ),
    )
    notes(
        "passage",
        evaluate.answer_passage_match(
            dspy.Example(answer="Paris"), dspy.Prediction(context=["I love Paris in spring", "no"])
        ),
    )
    notes("EM", evaluate.EM("Paris", ["paris", "Rome"]))
    notes("normalize", [evaluate.normalize_text(text) for text in ("The Cat!", "  a  dog ", "Émile", "an A")])
