"""A language model of your own: subclass BaseLM, and everything else works with it.

python -m examples.custom_lm
"""

from __future__ import annotations

from typing import Any

import dspx

CAPITALS = {"Portugal": "Lisbon", "Spain": "Madrid", "France": "Paris"}


class Atlas(dspx.BaseLM):
    """Knows three capitals, and finds the country by its name in the prompt."""

    def forward(self, prompt: str | None = None, messages: list[dict[str, Any]] | None = None, **kwargs: Any):
        text = prompt or messages[-1]["content"]
        capital = next((city for country, city in CAPITALS.items() if country in text), "unknown")
        return f"[[ ## answer ## ]]\n{capital}\n\n[[ ## completed ## ]]"


def main() -> None:
    lm = Atlas("atlas")
    qa = dspx.Predict("question -> answer")
    with dspx.context(lm=lm):
        for country in ("Portugal", "France", "Norway"):
            print(f"{country}: {qa(question=f'What is the capital of {country}?').answer}")
    print(f"{len(lm.history)} calls in its history")


if __name__ == "__main__":
    main()
