"""DSPy's functions that make tools of other libraries' tools; here they are methods of `Tool`."""

from __future__ import annotations

from typing import Any, Literal

from dspx.tools.tool import Tool


def convert_mcp_tool(session: Any, tool: Any, *, result_mode: Literal["text", "structured"] = "text") -> Tool:
    """`Tool.from_mcp_tool(session, tool)`."""
    return Tool.from_mcp_tool(session, tool, result_mode=result_mode)


def convert_langchain_tool(tool: Any) -> Tool:
    """`Tool.from_langchain(tool)`."""
    return Tool.from_langchain(tool)
