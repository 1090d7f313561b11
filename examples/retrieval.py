"""Answer questions from passages: find them by embeddings, ask with them, and measure both steps apart.

    python -m examples.retrieval

Without OPENAI_API_KEY a local server embeds (by shared words) and answers (with the passage that fits best).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import dspx
from dspx.testing import Server

PASSAGES = [
    "The ferry to Skagen leaves pier 4 at 07:15 and 16:40 every day except on 24 December.",
    "The ferry to Marstal leaves pier 2 every second hour from 08:00 to 20:00.",
    "Bicycles travel free of charge on the Marstal ferry and cost 45 kroner on all others.",
    "Dogs are welcome on deck. In the cabin they have to stay in a carrier.",
    "Tickets are refunded in full until 24 hours before departure, and not at all afterwards.",
    "The harbour office at pier 1 is open from 07:00 to 18:00, at weekends from 09:00.",
    "Left luggage is kept in the harbour office for two weeks and then given to the police in Svendborg.",
    "Parking at the harbour is free for six hours; a day costs 80 kroner, paid at the machine by pier 3.",
    "In winter, from November to March, the Skagen ferry does not sail when the wind exceeds 20 metres a second.",
    "Groups of ten or more get a fifth off when they book by telephone: 62 52 40 00.",
]

QUESTIONS = [
    ("From which pier does the ferry to Marstal leave?", "pier 2"),
    ("What does taking bicycles on the Marstal ferry cost?", "free of charge"),
    ("When is the harbour office open at weekends?", "09:00"),
    ("How long is left luggage kept?", "two weeks"),
    ("Until when are tickets refunded in full?", "24 hours"),
    ("In what wind does the Skagen ferry not sail in winter?", "20 metres a second"),
    ("May dogs stay in the cabin?", "carrier"),
    ("What does parking cost for a day?", "80 kroner"),
    ("How many travellers have to be in groups that get a fifth off?", "ten or more"),
    ("What is the morning departure to Skagen?", "07:15"),
]


class Answer(dspx.Signature):
    """Answer from the passages alone."""

    passages: list[str] = dspx.InputField()
    question: str = dspx.InputField()
    answer: str = dspx.OutputField(desc="one sentence")


class FerryDesk(dspx.Module):
    """Finds passages, then answers from them."""

    def __init__(self, k: int) -> None:
        self.retrieve = dspx.Retrieve(k=k)
        self.answer = dspx.Predict(Answer)

    async def aforward(self, question: str) -> dspx.Prediction:
        passages = (await self.retrieve.acall(question)).passages
        answer = await self.answer.acall(passages=passages, question=question)
        return dspx.Prediction(passages=passages, answer=answer.answer)


def found(example: dspx.Example, prediction: Any, trace: Any = None) -> bool:
    """Whether the passage that has the answer is among those that were found."""
    return any(example.expected in passage for passage in prediction.passages)


def answered(example: dspx.Example, prediction: Any, trace: Any = None) -> bool:
    return example.expected in prediction.answer


def main() -> None:
    devset = [
        dspx.Example(question=question, expected=expected).with_inputs("question")
        for question, expected in QUESTIONS
    ]
    with models() as (lm, embedder), dspx.context(lm=lm, rm=dspx.Embeddings(PASSAGES, embedder)):
        for k in (1, 3):
            desk = FerryDesk(k)
            recall = dspx.Evaluate(devset=devset, metric=found)(desk).score
            score = dspx.Evaluate(devset=devset, metric=answered)(desk).score
            print(f"k={k}: the passage is found for {recall:g} %, the answer is right for {score:g} %")
        print(FerryDesk(3)(question="What do bicycles cost on all the other ferries?").answer)


@contextmanager
def models() -> Generator[tuple[Any, Any]]:
    """OpenAI's where there is a key, else the local server's."""
    if os.environ.get("OPENAI_API_KEY"):
        yield dspx.LM("openai/gpt-4o-mini"), dspx.Embedder("openai/text-embedding-3-small")
        return
    with Server(model=best_passage) as server:
        connection = {"api_base": server.api_base, "api_key": "none", "caching": False}
        yield server.lm("anything", cache=False), dspx.Embedder("openai/words", **connection)


def best_passage(request: Any) -> str:
    """What stands in for a model: the passage of the prompt that shares the most words with the question."""
    prompt = str(request.messages[-1]["content"])
    _, passages, question = prompt.split("[[ ## ")[:3]
    wanted = words(question.partition("]]")[2])
    best = max(json.loads(passages.partition("]]")[2]), key=lambda passage: len(words(passage) & wanted))
    return f"[[ ## answer ## ]]\n{best}\n\n[[ ## completed ## ]]"


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


if __name__ == "__main__":
    main()
