"""Look at several attempts at one question together and give a corrected answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dspx.core.calls import entrance
from dspx.core.fields import InputField, OutputField
from dspx.core.module import Module
from dspx.core.signature import ensure_signature
from dspx.errors import UsageError
from dspx.modules.predict import Predict


class MultiChainComparison(Module):
    """`MultiChainComparison(signature, M=3)(completions, question=…)`: one answer from `M` attempts.

    Each completion has the signature's last output and a `reasoning` or `rationale`: predictions of a
    `ChainOfThought`, or dicts. The prediction has a `rationale` before the signature's outputs (Yoran et
    al. 2023).
    """

    def __init__(self, signature: Any, M: int = 3, temperature: float = 0.7, **config: Any) -> None:
        super().__init__()
        self.M = M
        extended = ensure_signature(signature)
        self.last_key: str = list(extended.output_fields)[-1]
        for number in range(1, M + 1):
            extended = extended.append(_attempt(number), InputField(desc="${reasoning attempt}"), str)
        extended = extended.prepend("rationale", OutputField(desc="${corrected reasoning}"), str)
        self.predict: Any = Predict(extended, temperature=temperature, **config)

    async def aforward(self, completions: Sequence[Any], **kwargs: Any) -> Any:
        if len(completions) != self.M:
            raise UsageError(
                f"MultiChainComparison(M={self.M}) compares {self.M} completions, but got {len(completions)}."
            )
        attempts = {_attempt(number): self._told(one) for number, one in enumerate(completions, 1)}
        return await entrance(self.predict)(**{**attempts, **kwargs})

    def _told(self, completion: Any) -> str:
        thought = completion.get("rationale", completion.get("reasoning"))
        answer = completion.get(self.last_key)
        if thought is None or answer is None:
            missing = "reasoning or rationale" if thought is None else self.last_key
            raise UsageError(f"This completion has no {missing}: {completion!r:.200}")
        return (
            f"«I'm trying to {_first_line(thought)} I'm not sure but my prediction is {_first_line(answer)}»"
        )


def _attempt(number: int) -> str:
    return f"reasoning_attempt_{number}"


def _first_line(value: Any) -> str:
    return str(value).strip().partition("\n")[0].strip()
