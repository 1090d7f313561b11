"""Python in a process of its own, quick to start, with all that this user may do. It is no sandbox."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dspx.errors import UsageError
from dspx.runtime.bridge import in_thread
from dspx.sandbox.guest import Guest
from dspx.sandbox.install import guest_folder
from dspx.sandbox.interpreter import Interpreter


class LocalInterpreter(Interpreter):
    """`LocalInterpreter(unsafe=True)`: code that a model wrote, run as you would run your own.

    It can read and delete your files and reach your network: it is for code that you would run anyway, and for
    machines that have nothing to lose. As a factory: `functools.partial(LocalInterpreter, unsafe=True)`.
    `execution_timeout` (seconds of the code's own) interrupts the code, and ends the process and what it
    started if that does not help. Packages of this environment can be imported.
    """

    start_timeout = 30.0
    margin = 2.0

    def __init__(
        self,
        tools: Mapping[str, Callable[..., Any]] | None = None,
        output_fields: Sequence[Mapping[str, Any]] | None = None,
        *,
        execution_timeout: float | None = None,
        callbacks: list[Any] | None = None,
        unsafe: bool = False,
    ) -> None:
        if not unsafe:
            raise UsageError(
                "LocalInterpreter is no sandbox: the code may do whatever you may. Write LocalInterpreter(unsafe=True) "
                "if that is acceptable, or use PythonInterpreter()."
            )
        super().__init__(tools, output_fields, callbacks, execution_timeout)

    async def _launch(self) -> Guest:
        command = [sys.executable, "-I", str(guest_folder() / "local.py")]
        return await in_thread(Guest, command, dict(os.environ))
