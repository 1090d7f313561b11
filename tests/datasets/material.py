"""Rows in the form of known datasets, made up: what stands where a download would."""

from __future__ import annotations

from typing import Any

ANSWERS = [
    "42",
    "The answer is $1,234.",
    "1.5",
    "a 3 b 4",
    "none",
    "#### 18",
    "3\n4",
    "",
    "12%",
    "1,000,000 dollars",
    "x = 7.",
    "ten",
    " 18 \n",
    "18.0",
    "$3.50.",
]
BOXES = [
    r"so \boxed{4}.",
    r"\boxed{\frac{1}{2}} and",
    "none",
    r"\boxed{1} then \boxed{2}",
    r"\boxed{a",
    r"\fbox{3}",
]


def numbers(start: int) -> list[dict[str, Any]]:
    return [{"q": str(number), "a": number} for number in range(start, start + 10)]


def gsm8k(split: str) -> list[dict[str, Any]]:
    return [
        {
            "question": f"{split} {number}",
            "answer": f"She has <<1+{number}={number + 1}>>{number + 1}.\nTimes 1000.\n#### {1000 * number:,}",
        }
        for number in range(600 if split == "train" else 12)
    ]


def hotpotqa(split: str) -> list[dict[str, Any]]:
    return [
        {
            "id": f"id{number}",
            "question": f"{split} {number}",
            "answer": f"answer {number}",
            "type": "bridge" if number % 2 else "comparison",
            "level": "hard" if number % 3 or split != "train" else "easy",
            "supporting_facts": {"title": [f"T{number}", f"U{number}", f"T{number}"], "sent_id": [0, 1, 2]},
            "context": {"title": [f"T{number}"], "sentences": [["A sentence."]]},
        }
        for number in range(20)
    ]


def math(split: str) -> list[dict[str, Any]]:
    return [
        {
            "problem": f"{split} {number}",
            "level": "Level 1",
            "type": "Algebra",
            "solution": f"It is \\boxed{{{number}}}.",
        }
        for number in range(1200)
    ]


def by_name(name: str, split: str) -> list[dict[str, Any]]:
    """The rows of a dataset that is called so on Hugging Face."""
    made = next(
        make for word, make in (("gsm8k", gsm8k), ("hotpot", hotpotqa), ("MATH", math)) if word in name
    )
    return made(split)
