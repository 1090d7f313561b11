"""The simulated model as one function of a request, which depends on no library: messages in, text out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dspx.testing.prompt.reading import read_prompt, text_of
from dspx.testing.prompt.writing import write_answer
from dspx.testing.simulated.answering import Answering
from dspx.testing.simulated.draws import key_of, random_of
from dspx.testing.simulated.messages import Item
from dspx.testing.simulated.proposing import Proposing
from dspx.testing.simulated.rules import Rule

Messages = Sequence[Mapping[str, Any]]


class Core:
    """`core.answer(messages, settings)` is the model. A library's own LM class needs nothing else:

    class Simulated(dspy.BaseLM):
        def forward(self, prompt=None, messages=None, **kwargs):
            text = core.answer(messages, {**self.kwargs, **kwargs})
            …
    """

    def __init__(
        self, seed: int, items: Sequence[Item], rules: Sequence[Rule], effect: float = 1.0, ease: float = 0.0
    ) -> None:
        self.seed = seed
        self.rules = tuple(rules)
        numbered = {item.number: item for item in items}
        self.answering = Answering(numbered, self.rules, effect, ease)
        self.proposing = Proposing(numbered, self.rules)

    def __deepcopy__(self, memo: dict[int, Any]) -> Core:
        return self  # it never changes, and copies of an LM are of the same model

    def answer(self, messages: Messages, settings: Mapping[str, Any] | None = None, index: int = 0) -> str:
        """The text of completion `index`. `settings`: temperature, rollout_id, response_format; others are not looked at."""
        settings = settings or {}
        rng = random_of(self.key(messages, settings), index)
        asking = read_prompt(messages)
        if asking is None:
            return self.proposing.plain("\n".join(text_of(message) for message in messages), rng)
        role = self.answering if self.answering.is_for(asking) else self.proposing
        layout = "json" if settings.get("response_format") is not None else asking.layout
        return write_answer(layout, role.fill(asking, rng), asking.outputs)

    def key(self, messages: Messages, settings: Mapping[str, Any] | None = None) -> bytes:
        """What tells requests apart: those with equal keys are answered equally."""
        return key_of(messages, settings or {}, self.seed)

    def chance(self, messages: Messages) -> float | None:
        """How likely the answer to this prompt is right; None where it is not a question of the task."""
        asking = read_prompt(messages)
        if asking is None or not self.answering.is_for(asking):
            return None
        return self.answering.chance(asking)
