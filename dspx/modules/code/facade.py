"""`import dspy` inside a sandbox: predictors that code makes there and that ask here, on the module's budget."""

from __future__ import annotations

from typing import Any

from dspx.core.calls import entrance
from dspx.core.settings import context
from dspx.core.signature import make_signature
from dspx.errors import UsageError
from dspx.modules.chain_of_thought import ChainOfThought
from dspx.modules.code.sub_lm import CallBudget
from dspx.modules.predict import Predict
from dspx.runtime.bridge import run

PREDICT = "__dspx_predict__"
_KINDS: dict[str, Any] = {"Predict": Predict, "ChainOfThought": ChainOfThought}

GUEST = """
def _facade():
    try:
        import sys, types
    except ImportError:
        return
    if "dspy" in sys.modules or "dspx" in sys.modules:
        return
    predict = __dspx_predict__

    class Prediction(dict):
        def __getattr__(self, name):
            try:
                return self[name]
            except KeyError:
                raise AttributeError(name) from None

    class Signature:
        def __init__(self, signature, instructions=""):
            self.signature, self.instructions = signature, instructions

    class Predict:
        def __init__(self, signature, instructions=""):
            known = isinstance(signature, Signature)
            self.signature = signature.signature if known else signature
            self.instructions = instructions or (signature.instructions if known else "")

        def __call__(self, **inputs):
            return Prediction(predict(type(self).__name__, self.signature, self.instructions, inputs))

        forward = __call__

    class ChainOfThought(Predict):
        pass

    module = types.ModuleType("dspy")
    for made in (Prediction, Signature, Predict, ChainOfThought):
        setattr(module, made.__name__, made)
    sys.modules["dspy"] = sys.modules["dspx"] = module

_facade()
del _facade
"""
"""Code that makes `dspy` importable in the sandbox. Where the real one is (an interpreter in this process), it does nothing."""


class PredictFromCode:
    """What `dspy.Predict(signature)(**inputs)` in the sandbox comes to here: one call of a predictor."""

    __name__ = PREDICT

    def __init__(self, lm: Any, budget: CallBudget) -> None:
        self._lm = lm
        self._budget = budget

    def __call__(
        self, kind: str, signature: str, instructions: str, inputs: dict[str, Any]
    ) -> dict[str, Any]:
        return run(self.acall(kind, signature, instructions, inputs))

    async def acall(
        self, kind: str, signature: str, instructions: str, inputs: dict[str, Any]
    ) -> dict[str, Any]:
        if kind not in _KINDS:
            raise UsageError(f"There is no {kind} in the sandbox; there is {', '.join(_KINDS)}.")
        wanted = make_signature(signature, instructions or None)
        if missing := [name for name in wanted.input_fields if name not in inputs]:
            raise UsageError(f"{signature!r} needs {', '.join(missing)}.")
        self._budget.take()
        predictor = _KINDS[kind](wanted)
        if self._lm is None:
            return dict((await entrance(predictor)(**inputs)).items())
        with context(lm=self._lm):
            return dict((await entrance(predictor)(**inputs)).items())
