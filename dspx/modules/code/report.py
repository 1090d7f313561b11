"""What came of some code, as a model is told."""

from __future__ import annotations

from dspx.errors import CodeExecutionError
from dspx.sandbox.contract import Execution
from dspx.sandbox.repl import value_text

NOTHING = "(nothing was printed, and the last line has no value)"


def output_text(execution: Execution) -> str:
    """What was printed, and then the value of the last expression."""
    parts = [execution.stdout.rstrip("\n")] if execution.stdout else []
    if execution.value is not None:
        parts.append(execution.shown or value_text(execution.value))
    return "\n".join(parts) or NOTHING


def error_text(error: SyntaxError | CodeExecutionError) -> str:
    """The traceback of the code's own lines, after what it had printed; the message where there is none."""
    if isinstance(error, SyntaxError):
        return str(error) if "SyntaxError" in str(error) else f"SyntaxError: {error}"
    printed = f"{error.stdout.rstrip()}\n" if error.stdout else ""
    trace = error.traceback.rstrip()
    if not trace or error.state_lost or type(error) is not CodeExecutionError:
        trace = f"{trace}\n{error}" if trace else str(error)
    return printed + trace
