"""The whole loop in a page: a signature, a program, an evaluation, a compiled program, a comparison.

    python -m examples.quickstart

With OPENAI_API_KEY it asks a real model; without, one that comes with dspx and learns from the examples in its prompt.
"""

from __future__ import annotations

import os
from typing import Any, Literal

import dspx
from dspx.testing import NearestLM

MESSAGES = {
    "cards": [
        "My card was stolen",
        "The PIN of my card",
        "My card was declined",
        "Block my card",
        "A new card please",
    ],
    "accounts": [
        "Open an account",
        "My balance is wrong",
        "Close my account",
        "A transfer is missing",
        "My statement",
    ],
    "loans": [
        "I need a loan",
        "What is a mortgage?",
        "Repay my loan early",
        "The rate of my loan",
        "Borrow money",
    ],
}


class Triage(dspx.Signature):
    """Route the customer's message to the team that can help."""

    message: str = dspx.InputField()
    team: Literal["cards", "accounts", "loans"] = dspx.OutputField()


def right_team(example: dspx.Example, prediction: Any, trace: Any = None) -> bool:
    return example.team == prediction.team


def messages() -> list[dspx.Example]:
    turns = zip(*MESSAGES.values(), strict=True)
    pairs = [(message, team) for turn in turns for team, message in zip(MESSAGES, turn, strict=True)]
    variants = [
        (f"{opening}{message}", team)
        for message, team in pairs
        for opening in ("", "Hello. ", "Please help: ")
    ]
    return [dspx.Example(message=message, team=team).with_inputs("message") for message, team in variants]


def main() -> None:
    dspx.configure(lm=dspx.LM("openai/gpt-4o-mini") if os.environ.get("OPENAI_API_KEY") else NearestLM())
    data = messages()
    trainset, devset = data[::3], [row for i, row in enumerate(data) if i % 3]

    triage = dspx.Predict(Triage)
    print("one answer:", triage(message="The machine swallowed my card").team)

    compiled = dspx.LabeledFewShot(k=9).compile(triage, trainset=trainset)
    print(dspx.compare(triage, compiled, devset, right_team))


if __name__ == "__main__":
    main()
