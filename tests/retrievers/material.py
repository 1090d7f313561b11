"""A corpus, and embedders without a model."""

from __future__ import annotations

from typing import Any

from dspx.testing.server.embedding import embed

CORPUS = [
    "Lisbon is the capital of Portugal",
    "Madrid is the capital of Spain",
    "Porto is a city in Portugal",
    "The Danube flows through Vienna",
    "Vienna is the capital of Austria",
]


def words(texts: list[str]) -> list[list[float]]:
    """One vector for each text; shared words, near vectors."""
    return [embed(text) for text in texts]


async def words_later(texts: list[str]) -> list[list[float]]:
    return words(texts)


class Counting:
    """`words`, keeping what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, texts: list[str]) -> Any:
        self.asked.append(list(texts))
        return words(texts)
