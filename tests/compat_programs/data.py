"""Portable programs: examples, predictions, completions."""

import copy
import pickle

from tests.compat_programs.observing import program


@program
def examples(dspy, notes):
    example = dspy.Example(question="q", answer="a", dspy_split="dev").with_inputs("question")
    notes("keys", [example.keys(), example.values(), list(example.items()), len(example)])
    notes("dspy keys", [example.keys(include_dspy=True), example.items(include_dspy=True)])
    notes("inputs", [example.inputs(), example.labels()])
    notes("inputs type", type(example.inputs()).__name__)
    notes("repr", [repr(example), str(example), repr(dspy.Example()), repr(example.inputs())])
    notes("copy", example.copy(answer="b", new=1))
    notes("without", example.without("answer"))
    notes(
        "contains",
        [
            "question" in example,
            "x" in example,
            example["answer"],
            example.get("x", 9),
            example.get("answer"),
        ],
    )
    notes.raises("missing key", lambda: example["x"])
    notes.raises("missing attribute", lambda: example.x)
    notes.raises("no inputs set", lambda: dspy.Example(a=1).inputs())
    example.answer = "changed"
    example["other"] = [1]
    del example["other"]
    notes("changed", example)
    notes(
        "equal",
        [example == example.copy(), example == dspy.Example(question="q"), dspy.Example(a=1) == {"a": 1}],
    )
    notes("hash", hash(example) == hash(example.copy()))
    notes("base", dspy.Example(example, more=2))
    notes("base from dict", dspy.Example({"a": 1, "b": {"c": [dspy.Example(d=1)]}}).toDict())
    notes("deep copy keeps inputs", copy.deepcopy(example).inputs())
    notes("pickles", pickle.loads(pickle.dumps(example)))  # noqa: S301
    notes("iterates", list(dspy.Example(a=1, b=2)))
    notes("with two inputs", dspy.Example(a=1, b=2, c=3).with_inputs("a", "b").labels())


@program
def predictions(dspy, notes):
    pred = dspy.Prediction(answer="a", score=0.5)
    notes("values", [pred.answer, pred["answer"], pred.get("x"), "answer" in pred, pred.keys(), len(pred)])
    notes("repr", [repr(pred), str(pred)])
    notes("dict", pred.toDict())
    other = dspy.Prediction(score=1.5)
    notes("arithmetic", [pred + other, pred + 1, 1 + pred, pred / 2, sum([pred, other]), float(pred)])
    notes("order", [pred < other, pred <= 0.5, other > pred, other >= 2])
    notes.raises("no score", lambda: float(dspy.Prediction(a=1)))
    notes.raises("missing", lambda: pred.nothing)
    made = dspy.Prediction.from_completions([{"a": 1, "b": 2}, {"a": 3, "b": 4}])
    notes("from list", [made, made.completions.a, made.completions[1], len(made.completions)])
    made = dspy.Prediction.from_completions({"a": [1, 2], "b": [3, 4]})
    notes("from dict", [made, made.completions.b])
    notes("repr of many", repr(made))
    notes.raises("completion out of range", lambda: made.completions[5])
    notes.raises("unknown field", lambda: made.completions.zzz)
    notes("usage", pred.get_lm_usage())
    pred.set_lm_usage({"m": {"total_tokens": 3}})
    notes("usage set", pred.get_lm_usage())
    notes("copy", pred.copy(answer="z"))
    notes("equal", [pred == dspy.Prediction(answer="a", score=0.5), made == made.copy()])
    pred.extra = [1]
    notes("attribute", pred)
    notes("without", pred.without("extra"))
    notes("deep copy", [copy.deepcopy(made), copy.deepcopy(made).completions.a])
    notes("pickle", pickle.loads(pickle.dumps(made)))  # noqa: S301
