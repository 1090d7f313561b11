"""What settings may hold: a language model, an adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class LanguageModel(Protocol):
    """Anything that `lm=` accepts: `dspx.LM`, a subclass of `dspx.BaseLM`, a test's model."""

    model: str
    kwargs: dict[str, Any]

    async def respond_to(self, messages: list[dict[str, Any]], params: Mapping[str, Any]) -> Any: ...


@runtime_checkable
class AdapterLike(Protocol):
    """Anything that `adapter=` accepts: it asks `lm` the question that a signature poses."""

    async def acall(
        self,
        lm: Any,
        lm_kwargs: dict[str, Any],
        signature: Any,
        demos: Sequence[Any],
        inputs: dict[str, Any],
    ) -> list[dict[str, Any]]: ...
