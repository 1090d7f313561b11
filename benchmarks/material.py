"""What both libraries work on: signatures, demos, programs and an LM that answers at once.

Annotations are real objects here, as each library reads them when the class is made.
"""

import enum
from itertools import cycle
from types import SimpleNamespace
from typing import Any, Literal

import pydantic

STRING = "question, passages: list[str] -> answer, confidence: float"
ANSWER = "[[ ## answer ## ]]\nLisbon\n\n[[ ## confidence ## ]]\n0.9\n\n[[ ## completed ## ]]\n"
INPUTS = {
    "question": "What is the capital of Portugal?",
    "passages": ["Lisbon is the capital and largest city of Portugal.", "Porto is in the north."],
}


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


class Place(pydantic.BaseModel):
    name: str
    country: str
    population: int


def signature(api: Any) -> Any:
    """Two inputs, two outputs."""

    class Answer(api.Signature):
        """Answer the question from the passages."""

        question: str = api.InputField()
        passages: list[str] = api.InputField(desc="what may be used")
        answer: str = api.OutputField(desc="short")
        confidence: float = api.OutputField(ge=0, le=1)

    return Answer


def typed_signature(api: Any) -> Any:
    """Two inputs, six outputs of six types."""

    class Report(api.Signature):
        """Read the review and say what is in it."""

        review: str = api.InputField()
        year: int = api.InputField()
        place: Place = api.OutputField()
        mood: Mood = api.OutputField()
        kind: Literal["hotel", "restaurant", "museum"] = api.OutputField()
        stars: int = api.OutputField(ge=1, le=5)
        price: float = api.OutputField()
        tags: list[str] = api.OutputField()

    return Report


TYPED_INPUTS = {"review": "A lovely small museum in Porto; too dear for what it is.", "year": 2024}
TYPED_FIELDS = {
    "place": '{"name": "Porto", "country": "Portugal", "population": 231800}',
    "mood": "good",
    "kind": "museum",
    "stars": "4",
    "price": "12.5",
    "tags": '["small", "dear", "lovely"]',
}
TYPED_CHAT = "".join(f"[[ ## {name} ## ]]\n{value}\n\n" for name, value in TYPED_FIELDS.items())
TYPED_CHAT += "[[ ## completed ## ]]\n"
TYPED_JSON = (
    '{"place": {"name": "Porto", "country": "Portugal", "population": 231800}, "mood": "good", '
    '"kind": "museum", "stars": 4, "price": 12.5, "tags": ["small", "dear", "lovely"]}'
)


def typed_demos(api: Any, count: int) -> list[Any]:
    return [
        api.Example(
            review=f"Review number {i}: quiet rooms, friendly people, an hour from the sea.",
            year=1990 + i,
            place=Place(name=f"Town {i}", country="Portugal", population=1000 * i),
            mood=Mood.GOOD if i % 2 else Mood.BAD,
            kind="hotel",
            stars=1 + i % 5,
            price=10.5 * i,
            tags=["quiet", "friendly", f"number {i}"],
        )
        for i in range(count)
    ]


def demos(api: Any, count: int) -> list[Any]:
    return [
        api.Example(
            question=f"What is the capital of country number {i}?",
            passages=[f"Town {i} is the capital.", "The river is long."],
            answer=f"Town {i}",
            confidence=0.5,
        )
        for i in range(count)
    ]


def examples(api: Any, count: int) -> list[Any]:
    return [
        api.Example(question=f"Question number {i}?", passages=["One.", "Two."], answer="Lisbon").with_inputs(
            "question", "passages"
        )
        for i in range(count)
    ]


def completion(text: str = ANSWER) -> Any:
    """An OpenAI-shaped response."""
    message = SimpleNamespace(content=text, tool_calls=None, role="assistant")
    choice = SimpleNamespace(message=message, finish_reason="stop", index=0, logprobs=None)
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return SimpleNamespace(choices=[choice], usage=usage, model="instant", id="1")


def instant_lm(api: Any) -> Any:
    """An LM that answers at once, always the same."""
    answer = completion()

    class Instant(api.BaseLM):
        def forward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Any:
            return answer

        async def aforward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Any:
            return answer

    return Instant("instant", cache=False)


def scripted_lm(api: Any, texts: list[str]) -> Any:
    """An LM that gives these answers at once, one after the other, over and over."""
    answers = cycle([completion(text) for text in texts])

    class Scripted(api.BaseLM):
        def forward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Any:
            return next(answers)

    return Scripted("scripted", cache=False)


def pipeline(api: Any, predictors: int, demos_each: int) -> Any:
    """A program of several predictors with demos."""

    class Pipeline(api.Module):
        def __init__(self) -> None:
            super().__init__()
            self.steps = [api.Predict(signature(api)) for _ in range(predictors)]

        def forward(self, **inputs: Any) -> Any:
            return [step(**inputs) for step in self.steps][-1]

    program = Pipeline()
    for predictor in program.predictors():
        predictor.demos = demos(api, demos_each)
    return program
