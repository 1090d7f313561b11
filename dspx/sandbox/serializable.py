"""Inputs that bring themselves into the sandbox: tables, documents, whatever JSON says badly."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from dspx.sandbox.repl import REPLVariable


class SandboxSerializable(ABC):
    """Subclass it for a type of input that `RLM` should hand to its code as more than JSON.

    `to_sandbox` gives the value as UTF-8 bytes. In the sandbox `sandbox_setup`'s code runs once (imports, say), then
    `sandbox_assignment(name, expression)`'s, where `expression` stands for that text; it must assign `name`.
    `rlm_preview` is what the model is shown of the value.
    """

    @abstractmethod
    def sandbox_setup(self) -> str: ...

    @abstractmethod
    def to_sandbox(self) -> bytes: ...

    @abstractmethod
    def sandbox_assignment(self, var_name: str, data_expr: str) -> str: ...

    @abstractmethod
    def rlm_preview(self, max_chars: int = 500) -> str: ...

    def to_repl_variable(self, name: str, field_info: Any = None) -> REPLVariable:
        """How the value is described to the model."""
        described = REPLVariable.from_value(name, self.rlm_preview(), field_info)
        setup = self.sandbox_setup()
        known = f"Already run in the sandbox: {setup}" if setup else ""
        desc = "\n".join(part for part in (described.desc, known) if part)
        return described.model_copy(update={"type_name": type(self).__name__, "desc": desc})
