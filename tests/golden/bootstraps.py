"""Bootstrapping with a model that is right about every other message: the same code for dspx and for DSPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def rows(api: Any) -> list[Any]:
    return [
        api.Example(text=f"message {i}", topic=f"topic {i % 5}", label="abc"[i % 3]).with_inputs("text")
        for i in range(30)
    ]


def answer(messages: list[dict[str, Any]]) -> str:
    """Right about messages of which the number is even, and about those after a message of their own label."""
    asked = messages[-1]["content"]
    number = int(asked.partition("message ")[2].split()[0])
    if "`[[ ## topic ## ]]`" in asked:
        return f"[[ ## topic ## ]]\ntopic {number % 5}\n\n[[ ## completed ## ]]"
    label = "abc"[number % 3] if number % 2 == 0 else "abc"[(number + 1) % 3]
    return f"[[ ## label ## ]]\n{label}\n\n[[ ## completed ## ]]"


def right(example: Any, prediction: Any, trace: Any = None) -> bool:
    return bool(example.label == prediction.label)


def program(api: Any) -> Any:
    class Two(api.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = api.Predict("text -> topic")
            self.second = api.Predict("text, topic -> label")

        def forward(self, text: str) -> Any:
            return self.second(text=text, topic=self.first(text=text).topic)

    return Two()


def chosen(api: Any, case: Callable[[Any, list[Any]], Any], data: list[Any]) -> Any:
    return case(api, data)


def demos(compiled: Any) -> dict[str, list[str]]:
    """By leaf: each demo's message, with a star where it was bootstrapped."""
    return {
        name: [demo["text"] + ("*" if demo.get("augmented") else "") for demo in leaf.demos]
        for name, leaf in compiled.named_predictors()
    }


def bootstrap(**settings: Any) -> Callable[[Any, list[Any]], Any]:
    def case(api: Any, data: list[Any]) -> Any:
        optimizer = api.BootstrapFewShot(metric=right, **settings)
        return demos(optimizer.compile(program(api), trainset=data))

    return case


def random_search(api: Any, data: list[Any]) -> Any:
    optimizer = api.BootstrapFewShotWithRandomSearch(
        right, num_candidate_programs=4, max_bootstrapped_demos=3, max_labeled_demos=5, num_threads=1
    )
    settings = {"selection": "dspy"} if api.__name__ == "dspx" else {}
    compiled = optimizer.compile(program(api), trainset=data, valset=data[:12], **settings)
    by_seed = {one["seed"]: one for one in compiled.candidate_programs}
    return [[by_seed[seed]["score"], demos(by_seed[seed]["program"])] for seed in sorted(by_seed)]


CASES: dict[str, Callable[[Any, list[Any]], Any]] = {
    "defaults": bootstrap(),
    "few": bootstrap(max_bootstrapped_demos=2, max_labeled_demos=3),
    "bootstrapped alone": bootstrap(max_bootstrapped_demos=5, max_labeled_demos=0),
    "labelled alone": bootstrap(max_bootstrapped_demos=0, max_labeled_demos=4),
    "more than there are": bootstrap(max_bootstrapped_demos=40, max_labeled_demos=40),
    "a threshold": bootstrap(metric_threshold=1.0, max_bootstrapped_demos=3),
    "rounds": bootstrap(max_rounds=2, max_bootstrapped_demos=3),
    "random search": random_search,
}
