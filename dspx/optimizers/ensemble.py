"""Several programs as one: all of them answer, and a function makes one answer of theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from dspx.core.calls import entrance
from dspx.core.canonical import stable_hash
from dspx.core.module import Module
from dspx.errors import UsageError
from dspx.optimizers.fingerprint import example_data
from dspx.optimizers.optimizer import Optimizer
from dspx.runtime.bridge import call, run
from dspx.runtime.fanout import fan_out


class Ensemble(Optimizer):
    """`Ensemble(reduce_fn=dspx.majority).compile([one, two, three])`: a program that asks them all.

    reduce_fn: makes one prediction of theirs; without one, the list comes back.
    size: how many are asked per call, at random; all, unless given.
    deterministic: the choice goes by the inputs, so the same question is always put to the same programs.
    """

    def __init__(
        self,
        *,
        reduce_fn: Callable[[list[Any]], Any] | None = None,
        size: int | None = None,
        deterministic: bool = False,
    ) -> None:
        self.reduce_fn = reduce_fn
        self.size = size
        self.deterministic = deterministic

    def compile(self, programs: Sequence[Module]) -> EnsembledProgram:  # type: ignore[override]
        """The programs as one."""
        return run(self.acompile(programs))

    async def acompile(self, programs: Sequence[Module]) -> EnsembledProgram:  # type: ignore[override]
        """`compile` for async code."""
        return EnsembledProgram(programs, self.reduce_fn, self.size, self.deterministic)


class EnsembledProgram(Module):
    """The programs of an ensemble, asked side by side."""

    def __init__(
        self,
        programs: Sequence[Module],
        reduce_fn: Callable[[list[Any]], Any] | None = None,
        size: int | None = None,
        deterministic: bool = False,
    ) -> None:
        super().__init__()
        if not programs:
            raise UsageError("An ensemble needs programs: Ensemble(…).compile([one, two, three]).")
        if size is not None and not 1 <= size <= len(programs):
            raise UsageError(
                f"size={size}: an ensemble of {len(programs)} programs asks 1 to {len(programs)}."
            )
        self.programs = list(programs)
        self.reduce_fn = reduce_fn
        self.size = size
        self.deterministic = deterministic

    async def aforward(self, *args: Any, **kwargs: Any) -> Any:
        chosen = self._chosen(args, kwargs)

        async def ask(program: Module) -> Any:
            return await entrance(program)(*args, **kwargs)

        outcomes = await fan_out(ask, chosen, workers=len(chosen))
        for outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error
        outputs = [outcome.value for outcome in outcomes]
        return outputs if self.reduce_fn is None else await call(self.reduce_fn, outputs)

    def _chosen(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Module]:
        if self.size is None or self.size == len(self.programs):
            return self.programs
        rng = Random(stable_hash([list(args), example_data(kwargs)])) if self.deterministic else Random()
        return rng.sample(self.programs, self.size)
