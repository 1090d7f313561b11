"""Tools of MCP servers. Works with versions 1 and 2 of the MCP SDK, whose names differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dspx.errors import ToolExecutionError, UsageError
from dspx.runtime.bridge import on_this_loop
from dspx.tools.schema import inlined

_PYTHON_TYPES: dict[Any, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "array": list,
    "object": dict,
}


def tool_of(make: Any, session: Any, tool: Any, result_mode: str) -> Any:
    """`make` (the class `Tool`), filled from an MCP tool."""
    if result_mode not in ("text", "structured"):
        raise UsageError(f"Unsupported MCP result mode: {result_mode!r}. There are 'text' and 'structured'.")
    if not hasattr(session, "call_tool"):
        raise UsageError(
            f"An MCP tool is called through a session with `call_tool`; {session!r:.100} has none."
        )
    call_tool = on_this_loop(session.call_tool)

    async def func(**args: Any) -> Any:
        return value_of(await call_tool(tool.name, arguments=args), tool.name, result_mode)

    schema = inlined(_part(tool, "input_schema", "inputSchema") or {})
    args: dict[str, Any] = schema.get("properties", {})
    made = make(
        func,
        name=tool.name,
        desc=tool.description or "",
        args=args,
        arg_types={name: _python_type(each) for name, each in args.items()},
        has_kwargs=not args and schema.get("additionalProperties") is not False,
    )
    made._required = made._must = tuple(name for name in schema.get("required", ()) if name in args)
    return made


def value_of(result: Any, name: str, result_mode: str = "text") -> Any:
    """A result's text; a list where there are several; its other content where there is no text.

    `ToolExecutionError` where the server says that the tool failed.
    """
    contents: Sequence[Any] = _part(result, "content") or ()
    texts = [block.text for block in contents if getattr(block, "type", None) == "text"]
    others = [block for block in contents if getattr(block, "type", None) != "text"]
    text = texts[0] if len(texts) == 1 else texts
    if _part(result, "is_error", "isError"):
        raise ToolExecutionError(f"The MCP tool {name} failed: {text or others}")
    if result_mode == "structured":
        structured = _part(result, "structured_content", "structuredContent")
        if structured is not None:
            return structured
    return text or others


def _python_type(schema: Any) -> Any:
    """The plain type of a schema, where that says it all; else values are checked by the schema."""
    if set(schema) - {"type", "description", "title", "default"}:
        return Any
    kind = schema.get("type")
    return _PYTHON_TYPES.get(kind, Any) if isinstance(kind, str) else Any


def _part(thing: Any, *names: str) -> Any:
    return next((value for name in names if (value := getattr(thing, name, None)) is not None), None)
