"""Tools of LangChain."""

from __future__ import annotations

from typing import Any

from dspx.errors import UsageError
from dspx.tools.schema import inlined


def tool_of(make: Any, tool: Any) -> Any:
    """`make` (the class `Tool`), filled from a LangChain tool. It runs through `ainvoke`."""
    if not hasattr(tool, "ainvoke"):
        raise UsageError(
            f"{tool!r:.100} is no LangChain tool: it has no `ainvoke`. LangChain's tools come with "
            'pip install "dspx[langchain]".'
        )

    async def func(**args: Any) -> Any:
        return await tool.ainvoke(args)

    schema = inlined(_schema_of(tool))
    args: dict[str, Any] = schema.get("properties", {})
    made = make(func, name=tool.name, desc=tool.description, args=args, arg_types={}, has_kwargs=False)
    made._required = made._must = tuple(name for name in schema.get("required", ()) if name in args)
    return made


def _schema_of(tool: Any) -> dict[str, Any]:
    declared = getattr(tool, "args_schema", None)
    if isinstance(declared, dict):
        return declared
    read = getattr(declared, "model_json_schema", None)
    return read() if read is not None else {"properties": tool.args, "required": []}
