"""Ask somebody before a tool runs: yes, no because, or yes with other arguments.

def ask(tool, args):
    if tool.name == "send_email" and not args["to"].endswith("@example.com"):
        return Refused("Mail goes to colleagues only.")
    return True

dspx.Tool(send_email, approve=ask)                 # before this tool, whoever calls it
dspx.ReAct(signature, tools=[…], approve=ask)      # before every tool of this agent
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dspx.errors import ToolApprovalError, ToolRefused
from dspx.runtime.bridge import call

Approve = Callable[..., Any]
"""`approve(tool, args)`, sync or async → True, `Edited(args)`, `Refused(reason)`, or False."""


@dataclass(frozen=True, slots=True)
class Refused:
    """No. The reason is what an agent observes instead of the tool's result."""

    reason: str = "It was not approved."


@dataclass(frozen=True, slots=True)
class Edited:
    """Yes, with these arguments instead."""

    args: Mapping[str, Any]


async def approved_args(approve: Approve | None, tool: Any, args: dict[str, Any]) -> dict[str, Any]:
    """The arguments with which the tool may run.

    `ToolRefused` where it may not. `ToolApprovalError` where nobody could say: a hook that fails is no yes.
    """
    if approve is None:
        return args
    try:
        answer = await call(approve, tool, dict(args))
    except Exception as error:
        raise ToolApprovalError(f"Nobody could be asked whether {tool.name} may run: {error}") from error
    if answer is True:
        return args
    if isinstance(answer, Edited):
        return dict(answer.args)
    if answer is False:
        answer = Refused()
    if isinstance(answer, Refused):
        raise ToolRefused(f"{tool.name} was refused: {answer.reason}", reason=answer.reason)
    raise ToolApprovalError(
        f"The approval hook answered {answer!r:.100} on {tool.name}, so it was not run. "
        "Return True, Edited(args), Refused(reason) or False."
    )
