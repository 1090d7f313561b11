"""The code sandbox, seen from the host. What runs inside is in the top-level folder `sandbox`.

| | |
|---|---|
| `PythonInterpreter` | Python in WebAssembly, in a process that may do nothing unless granted |
| `LocalInterpreter` | Python in a process like any other: fast to start, and no sandbox |
| `SandboxPool` | fresh sandboxes kept ready, at most so many at once |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dspx.core.lazy import lazily

if TYPE_CHECKING:
    from dspx.sandbox.contract import CodeInterpreter as CodeInterpreter
    from dspx.sandbox.contract import Execution as Execution
    from dspx.sandbox.contract import FinalOutput as FinalOutput
    from dspx.sandbox.factory import resolve_interpreter_factory as resolve_interpreter_factory
    from dspx.sandbox.interpreter import Interpreter as Interpreter
    from dspx.sandbox.local_interpreter import LocalInterpreter as LocalInterpreter
    from dspx.sandbox.pool import SandboxPool as SandboxPool
    from dspx.sandbox.python_interpreter import PythonInterpreter as PythonInterpreter
    from dspx.sandbox.repl import REPLEntry as REPLEntry
    from dspx.sandbox.repl import REPLHistory as REPLHistory
    from dspx.sandbox.repl import REPLVariable as REPLVariable
    from dspx.sandbox.serializable import SandboxSerializable as SandboxSerializable

_LAZY: dict[str, tuple[str, ...]] = {
    "dspx.sandbox.contract": ("CodeInterpreter", "Execution", "FinalOutput"),
    "dspx.sandbox.factory": ("resolve_interpreter_factory",),
    "dspx.sandbox.interpreter": ("Interpreter",),
    "dspx.sandbox.local_interpreter": ("LocalInterpreter",),
    "dspx.sandbox.pool": ("SandboxPool",),
    "dspx.sandbox.python_interpreter": ("PythonInterpreter",),
    "dspx.sandbox.repl": ("REPLEntry", "REPLHistory", "REPLVariable"),
    "dspx.sandbox.serializable": ("SandboxSerializable",),
}
_HOME = {name: module for module, names in _LAZY.items() for name in names}

__getattr__, __dir__ = lazily(__name__, _HOME)


__all__ = sorted(_HOME)  # pyright: ignore[reportUnsupportedDunderAll]
