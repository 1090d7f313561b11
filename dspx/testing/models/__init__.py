"""The models that answer in tests: of no intelligence, quick, and always the same.

| name | answers |
|---|---|
| `echo` | the last user message |
| `schema` | any of dspx's prompts, and any JSON schema, with valid values that mean nothing |
| `nearest` (also `knn-icl`) | by nearest neighbours over the examples in the prompt, and by nothing else |
| a list, a function | what the list or the function says |
"""

from __future__ import annotations

from typing import Any

from dspx.errors import UsageError
from dspx.testing.models.base import Model
from dspx.testing.models.echo import Echo
from dspx.testing.models.nearest import Nearest
from dspx.testing.models.schema import Schematic
from dspx.testing.models.script import Fault, Script

__all__ = ["Echo", "Fault", "Model", "Nearest", "Schematic", "Script", "make_model", "named_models"]


def named_models() -> dict[str, Model]:
    """One of each model that has a name."""
    nearest = Nearest()
    return {"echo": Echo(), "schema": Schematic(), "nearest": nearest, "knn": nearest, "knn-icl": nearest}


def make_model(model: Any) -> Model:
    """The model that a name, a list of answers, a function or a model stands for."""
    if isinstance(model, str):
        known = named_models()
        if model not in known:
            raise UsageError(f"No test model is called {model!r}; there are {', '.join(known)}.")
        return known[model]
    return model if hasattr(model, "answer") else Script(model)
