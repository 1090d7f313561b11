"""Write saved states of compiled programs with DSPy's own optimizers. Run with an interpreter that has dspy==3.4.1 and optuna."""

import json
import logging
import pathlib
import re
import sys
import warnings

import dspy
import pydantic
from dspy.clients.base_lm import BaseLM

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))

CAPITALS = {"Portugal": "Lisbon", "Spain": "Madrid", "France": "Paris", "Italy": "Rome", "Austria": "Vienna"}


class Knows(BaseLM):
    """Fills every field that is asked for: the capital once it is shown how, a sentence elsewhere."""

    def __init__(self):
        super().__init__("openai/gpt-4o-mini", temperature=0.5, max_tokens=300)

    def __call__(self, prompt=None, messages=None, **kwargs):
        text = messages[-1]["content"]
        fields = re.findall(r"`\[\[ ## (\w+) ## \]\]`", text.rpartition("Respond with")[2])
        shown = len(messages) > 2 or "Some proposed" in messages[0]["content"]
        country = shown and next((name for name in CAPITALS if name in text), None)
        answers = {"answer": CAPITALS.get(country, "nowhere"), "queries": '["capital"]', "score": "7"}
        lines = [f"[[ ## {name} ## ]]\n{answers.get(name, f'Some {name}.')}\n" for name in fields if name != "completed"]
        return ["\n".join([*lines, "[[ ## completed ## ]]"])]


class Inner(dspy.Module):
    def __init__(self):
        self.find = dspy.Predict("question -> queries: list[str]")
        self.answer = dspy.ChainOfThought("question, queries: list[str] -> answer")

    def forward(self, question):
        return self.answer(question=question, queries=self.find(question=question).queries)


class Outer(dspy.Module):
    def __init__(self):
        self.inner = Inner()
        self.routes = {"easy": Inner(), "hard": [dspy.Predict("a -> b")]}
        self.judges = [dspy.Predict("question, answer -> score: int"), dspy.ChainOfThought("text -> answer")]

    def forward(self, question):
        return self.inner(question=question)


class Place(pydantic.BaseModel):
    name: str
    at: tuple[float, float]


class Locate(dspy.Signature):
    """Find the place."""

    text: str = dspy.InputField(desc="any text")
    known: list[Place] = dspy.InputField()
    place: Place | None = dspy.OutputField(desc="where it is")


def examples():
    return [dspy.Example(question=f"Capital of {k}?", answer=v).with_inputs("question") for k, v in CAPITALS.items()]


def metric(example, prediction, trace=None):
    return example.answer == prediction.answer


def nested():
    program = Outer()
    program.inner.find.demos = [dspy.Example(question="q", queries=["a", "b"])]
    program.judges[0].lm = dspy.LM("anthropic/claude-3-5-haiku", temperature=0.0, max_tokens=50, api_key="sk-never")
    return program


def typed():
    program = dspy.Predict(Locate)
    near = Place(name="Sintra", at=(38.8, -9.4))
    program.demos = [dspy.Example(text="t", known=[near], place=near, augmented=True), {"text": "u", "place": None}]
    return program


def bootstrapped():
    optimizer = dspy.BootstrapFewShot(metric=metric, max_bootstrapped_demos=2, max_labeled_demos=2)
    return optimizer.compile(Inner(), trainset=examples())


def mipro():
    optimizer = dspy.MIPROv2(metric=metric, auto=None, num_candidates=2, max_bootstrapped_demos=1,
                             max_labeled_demos=1, seed=9, num_threads=1)
    return optimizer.compile(dspy.ChainOfThought("question -> answer"), trainset=examples(), valset=examples(),
                             num_trials=3, minibatch=False)


def copro():
    optimizer = dspy.COPRO(metric=metric, breadth=2, depth=1)
    return optimizer.compile(dspy.Predict("question -> answer"), trainset=examples(), eval_kwargs={"num_threads": 1})


def main():
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    dspy.configure(lm=Knows())
    for make in (nested, typed, bootstrapped, mipro, copro):
        path = HERE / "state" / f"compiled_{make.__name__}.json"
        make().save(str(path))
        document = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
