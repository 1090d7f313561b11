"""Tools as the sandbox sees them: described by their signature, called by name, their results sent as JSON."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dspx.errors import UsageError
from dspx.runtime.bridge import call, is_blocking
from dspx.sandbox.values import encode

Tools = Mapping[str, Callable[..., Any]]

_TYPES = ("str", "int", "float", "bool", "list", "dict", "NoneType")
_SIMPLE = (str, int, float, bool, type(None))
_KINDS = {
    inspect.Parameter.KEYWORD_ONLY: "keyword",
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}


def registration(tools: Tools, output_fields: Sequence[Mapping[str, Any]] | None) -> dict[str, Any]:
    """The `register` request that makes these tools, and a SUBMIT with these outputs, known to the code."""
    names = [*tools, *(str(field["name"]) for field in output_fields or ())]
    for name in names:
        if not name.isidentifier() or name == "SUBMIT":
            raise UsageError(f"{name!r} cannot be the name of a tool or an output: code could not use it.")
    outputs = [
        {key: str(field[key]) for key in ("name", "type") if key in field} for field in output_fields or ()
    ]
    return {"tools": [_described(name, tools[name]) for name in tools], "outputs": outputs}


async def reply(tools: Tools, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """What to answer the code that called this tool: `{"result": …}` or, where the tool failed, `{"error": …}`."""
    if name not in tools:
        return _error(NameError(f"there is no tool {name!r}"))
    try:
        value = await _call(tools[name], args, kwargs)
        if value is None or isinstance(value, str):
            return {"result": {"value": value or "", "type": "string"}}
        return {"result": {"value": encode(value), "type": "json"}}
    except Exception as error:  # noqa: BLE001  a tool's failure is the calling code's to deal with
        return _error(error)


async def _call(tool: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """A tool object brings its own async call; a function is called whichever kind it is."""
    acall = getattr(tool, "acall", None)
    if acall is None:
        first, kwargs = _by_place(tool, kwargs)
        return await call(tool, *first, *args, **kwargs)
    if is_blocking():
        return await call(tool, *args, **kwargs)
    return await acall(*args, **kwargs)


def _by_place(tool: Callable[..., Any], kwargs: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """What a function takes by place only, and the rest: the code gives all by name."""
    rest = dict(kwargs)
    signature = _signature_of(tool)
    if signature is None:
        return [], rest
    by_place = [one.name for one in signature.parameters.values() if one.kind is one.POSITIONAL_ONLY]
    return [rest.pop(name) for name in by_place if name in rest], rest


def _signature_of(tool: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(getattr(tool, "func", tool))
    except (TypeError, ValueError):  # some builtins have none
        return None


def _error(error: Exception) -> dict[str, Any]:
    return {"error": {"code": -32007, "message": str(error), "data": {"type": type(error).__name__}}}


def _described(name: str, tool: Callable[..., Any]) -> dict[str, Any]:
    signature = _signature_of(tool)
    if signature is None:
        return {"name": name}
    parameters = list(signature.parameters.values())
    schemas = getattr(tool, "args", None)
    if isinstance(schemas, dict) and any(one.kind is one.VAR_KEYWORD for one in parameters):
        named = [
            {"name": str(key), "optional": True} for key in schemas
        ]  # a tool that others describe, as MCP's
        return {"name": name, "parameters": [*named, {"name": "kwargs", "kind": "**"}]}
    return {"name": name, "parameters": [_parameter(parameter) for parameter in parameters]}


def _parameter(parameter: inspect.Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {"name": parameter.name}
    annotation = parameter.annotation
    type_name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    if type_name in _TYPES:
        described["type"] = type_name
    if parameter.kind in _KINDS:
        described["kind"] = _KINDS[parameter.kind]
    if parameter.default is not inspect.Parameter.empty:
        if isinstance(parameter.default, _SIMPLE):
            described["default"] = parameter.default
        else:
            described["optional"] = True
    return described


def line(message: Mapping[str, Any]) -> bytes:
    """A message as one line of the protocol."""
    return json.dumps(message).encode("ascii")
