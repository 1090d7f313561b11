"""The simulated model as an LM of dspx."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dspx.lm.request import Request
from dspx.lm.response import Output, Response
from dspx.runtime.locks import Lock
from dspx.testing.model_lm import ModelLM
from dspx.testing.simulated.draws import is_deciding

if TYPE_CHECKING:
    from dspx.testing.simulated.core import Core
    from dspx.testing.simulated.task import SimulatedTask


class SimulatedLM(ModelLM):
    """Does a `SimulatedTask` as well as its prompts let it, and proposes rules when asked for anything else.

    Equal requests get equal answers; the repeats are taken as answers from a cache (`cache=False`: as new calls), so a
    budget is not charged for them. `calls` counts what was charged for, `asked` all requests.
    """

    def __init__(self, task: SimulatedTask, **kwargs: Any) -> None:
        super().__init__(_Simulated(task.core), **kwargs)
        self.model = "simulated"
        self.core = task.core
        self.counts = Counts()

    async def generate(self, request: Request) -> Response:
        response = await super().generate(request)
        if is_deciding():
            return response
        repeated = self.counts.add(self.core.key(request.messages, _settings(request)))
        return replace(response, cache_hit=True) if repeated and self.cache else response

    @property
    def calls(self) -> int:
        """How many different requests were answered; with `cache=False`, how many requests."""
        return self.counts.different if self.cache else self.counts.asked

    @property
    def asked(self) -> int:
        return self.counts.asked


class Counts:
    """How many requests there were, and how many different ones. Shared by the copies of an LM."""

    def __init__(self) -> None:
        self.asked = 0
        self._keys: set[bytes] = set()
        self._lock = Lock()

    def add(self, key: bytes) -> bool:
        """Whether this request was there before."""
        with self._lock:
            self.asked += 1
            repeated = key in self._keys
            self._keys.add(key)
            return repeated

    @property
    def different(self) -> int:
        return len(self._keys)

    def __deepcopy__(self, memo: dict[int, Any]) -> Counts:
        return self


class _Simulated:
    """A test model: a request in, a completion out."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def answer(self, request: Request, index: int = 0) -> Output:
        return Output(self.core.answer(request.messages, _settings(request), index), finish_reason="stop")

    def __deepcopy__(self, memo: dict[int, Any]) -> _Simulated:
        return self


def _settings(request: Request) -> dict[str, Any]:
    return {**request.params, "rollout_id": request.rollout_id}
