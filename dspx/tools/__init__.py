"""Functions that a model can call: `Tool`, approval before one runs, tools of MCP servers and of LangChain."""

from __future__ import annotations

from dspx.tools.approval import Edited, Refused
from dspx.tools.tool import Tool

__all__ = ["Edited", "Refused", "Tool"]
