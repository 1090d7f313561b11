"""The test models as LMs of this process: no server, no key, no waiting."""

from __future__ import annotations

from typing import Any

from dspx.lm.base import BaseLM
from dspx.lm.facts import Facts
from dspx.lm.request import Request
from dspx.lm.response import Response
from dspx.testing.models import Model, make_model
from dspx.testing.models.base import usage_of

_ALL = Facts(
    supports_function_calling=True,
    supports_response_schema=True,
    supports_json_object=True,
    supports_vision=True,
    n=True,
)


class ModelLM(BaseLM):
    """A test model as an LM: "echo", "schema", "nearest", or an object with `answer(request, index)`.

    It says that it can do everything (tools, JSON schemas, n); pass `facts=` for one that cannot.
    """

    def __init__(self, model: str | Model = "schema", *, facts: Facts = _ALL, **kwargs: Any) -> None:
        answering = make_model(model)
        super().__init__(model if isinstance(model, str) else type(answering).__name__.lower(), **kwargs)
        self.answering = answering
        self._facts = facts

    async def generate(self, request: Request) -> Response:
        n = int(request.params.get("n") or 1)
        outputs = [self.answering.answer(request, index) for index in range(n)]
        return Response(self.model, tuple(outputs), usage_of(request, outputs))

    @property
    def facts(self) -> Facts:
        return self._facts


class SchemaLM(ModelLM):
    """Answers any signature, JSON schema or tool with valid values that mean nothing: for tests of everything else.

    dspx.configure(lm=SchemaLM())
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("schema", **kwargs)


class NearestLM(ModelLM):
    """Learns from the examples in the prompt, and from nothing else: for tests of evaluation and optimizers.

    See `dspx.testing.models.nearest` for what it does. `k`: how many neighbours have a vote.
    """

    def __init__(self, k: int = 3, **kwargs: Any) -> None:
        from dspx.testing.models.nearest import Nearest

        super().__init__(Nearest(k), **kwargs)
