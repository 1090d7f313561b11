"""Tool calls in prompts and answers: which tools a model wants called, with what, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, model_serializer, model_validator

from dspx.content.base import Type, without_our_docstring
from dspx.core.calls import entrance
from dspx.errors import ToolExecutionError, UsageError
from dspx.runtime.bridge import run

if TYPE_CHECKING:
    from typing_extensions import Self


class ToolType(Type):
    """What prompts and models need of a tool. `dspx.Tool` is one."""

    @classmethod
    def offered(cls, value: Any) -> list[ToolType]:
        """The tools in an input's value: one, or several in a list, tuple or dict."""
        values: Iterable[Any]
        values = value.values() if isinstance(value, Mapping) else value
        if isinstance(values, ToolType) or not isinstance(values, Iterable):
            values = [] if values is None else [values]
        return [item if isinstance(item, ToolType) else cls(item) for item in values]  # type: ignore[call-arg]

    def format_as_litellm_function_call(self) -> dict[str, Any]:
        """The tool as Chat Completions offers it to a model."""
        raise NotImplementedError


def _only_what_models_write(schema: dict[str, Any], cls: Any) -> None:
    """Ids and results are ours; a model writes names and arguments."""
    without_our_docstring(schema, cls)
    for name in ("id", "tool_call_results"):
        schema.get("properties", {}).pop(name, None)


class ToolCalls(Type):
    """The calls that a model asks for: an output type. `calls.tool_calls[0].execute([search])` runs one.

    Reads a list of calls, a single one, or providers' own shapes; arguments may be JSON text. What came of the
    calls is attached as `tool_call_results` when they go into a `History`.
    """

    class ToolCall(Type):
        """One call: `name`, `args`, and the provider's `id` where it gave one."""

        id: str | None = None
        name: str
        args: dict[str, Any] = Field(json_schema_extra={"additionalProperties": True})

        model_config = ConfigDict(json_schema_extra=_only_what_models_write)

        def format(self) -> Any:
            return {"name": self.name, "args": self.args}

        @model_serializer()
        def serialize_model(self) -> Any:
            return self.format()

        def execute(self, functions: Mapping[str, Any] | Sequence[Any] | None = None) -> Any:
            """What the tool of this name returns. `functions`: tools or functions, in a list or by name.

            `ToolExecutionError` where it fails, ValueError where there is no tool of this name.
            """
            return run(self.aexecute(functions))

        async def aexecute(self, functions: Mapping[str, Any] | Sequence[Any] | None = None) -> Any:
            """The same call for async code."""
            function = _by_name(functions).get(self.name)
            if function is None:
                known = list(_by_name(functions))
                raise UsageError(
                    f"Tool function {self.name!r} not found among {known}: pass it in `functions`."
                )
            try:
                return await entrance(function)(**self.args)
            except Exception as error:
                raise ToolExecutionError(f"Error executing tool {self.name!r}: {error}") from error

        def to_openai(self) -> dict[str, Any]:
            """The call in an assistant message, as Chat Completions writes it."""
            function = {"name": self.name, "arguments": _json_text(self.args)}
            return {"id": self.id, "type": "function", "function": function}

    tool_calls: list[ToolCall]
    tool_call_results: ToolCallResults | None = None

    model_config = ConfigDict(json_schema_extra=_only_what_models_write)

    @classmethod
    def from_dict_list(cls, tool_calls_dicts: list[dict[str, Any]]) -> Self:
        """From `[{"name": …, "args": {…}}, …]`."""
        return cls.model_validate(tool_calls_dicts)

    @classmethod
    def description(cls) -> str:
        return (
            "Tool calls must be a JSON object with `tool_calls`, a list of calls. Each call must include `name` and "
            '`args`. Example: {"tool_calls": [{"name": "search", "args": {"query": "cats"}}]}'
        )

    def format(self) -> Any:
        """The calls as a model writes them: without ids and results."""
        return {"tool_calls": [call.format() for call in self.tool_calls]}

    @model_serializer()
    def serialize_model(self) -> Any:
        if self.tool_call_results is None:
            return self.format()
        return {**self.format(), "tool_call_results": self.tool_call_results}

    @model_validator(mode="before")
    @classmethod
    def validate_input(cls, value: Any) -> Any:
        if isinstance(value, cls):
            return value
        results = None
        calls: Any = value
        if isinstance(value, Mapping) and "tool_calls" in value:
            results, calls = value.get("tool_call_results"), value["tool_calls"]
        if isinstance(calls, (Mapping, ToolCalls.ToolCall)) and calls is value:
            calls = [calls]
        if not isinstance(calls, Sequence) or isinstance(calls, str):
            raise ValueError(f"Received invalid value for ToolCalls: {value!r:.300}")
        read = [_read_call(call) for call in calls]
        return {"tool_calls": _with_ids(read, results), "tool_call_results": results}

    @classmethod
    def parse_lm_response(cls, response: str | dict[str, Any]) -> ToolCalls | None:
        """The calls that came beside the text of a completion."""
        calls = response.get("tool_calls") if isinstance(response, dict) else None
        return cls.model_validate(calls) if calls else None

    @property
    def answered(self) -> bool:
        """Whether every call has an id, and a result under that id."""
        if not self.tool_calls or self.tool_call_results is None:
            return False
        asked = [call.id for call in self.tool_calls if call.id is not None]
        came = {result.call_id for result in self.tool_call_results.tool_call_results}
        return len(asked) == len(set(asked)) == len(self.tool_calls) and came == set(asked)


class ToolCallResults(BaseModel):
    """What came of tool calls, in their order."""

    model_config = ConfigDict(json_schema_extra=without_our_docstring)

    class ToolCallResult(BaseModel):
        """One call's value; with `is_error`, what went wrong."""

        model_config = ConfigDict(json_schema_extra=without_our_docstring)

        call_id: str | None = None
        name: str
        value: Any
        is_error: bool = False

    tool_call_results: list[ToolCallResult]

    @classmethod
    def from_tool_calls_and_values(
        cls,
        tool_calls: ToolCalls | Sequence[ToolCalls.ToolCall],
        values: Sequence[Any],
        is_errors: Sequence[bool] | None = None,
    ) -> Self:
        """The results of these calls. ValueError where their numbers differ."""
        calls = tool_calls.tool_calls if isinstance(tool_calls, ToolCalls) else tool_calls
        errors = [False] * len(values) if is_errors is None else is_errors
        if not len(calls) == len(values) == len(errors):
            raise ValueError(
                f"There are {len(calls)} tool calls, but {len(values)} values and {len(errors)} error marks: "
                "give one for each call."
            )
        return cls(
            tool_call_results=[
                cls.ToolCallResult(call_id=call.id, name=call.name, value=value, is_error=error)
                for call, value, error in zip(calls, values, errors, strict=True)
            ]
        )

    @model_validator(mode="before")
    @classmethod
    def validate_input(cls, value: Any) -> Any:
        if isinstance(value, cls) or (isinstance(value, Mapping) and "tool_call_results" in value):
            return value
        if isinstance(value, Mapping):
            return {"tool_call_results": [value]}
        if isinstance(value, Sequence) and not isinstance(value, str):
            return {"tool_call_results": list(value)}
        raise ValueError(f"Received invalid value for ToolCallResults: {value!r:.300}")


ToolCalls.model_rebuild()


# ---------------------------------------------------------------- reading


def _read_call(call: Any) -> Any:
    """A call in any of the shapes that providers and models write, as `id`, `name` and `args`."""
    if isinstance(call, ToolCalls.ToolCall):
        return call
    function = call.get("function", call) if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or "name" not in function:
        raise ValueError(f"A tool call needs `name` and `args`, but there was {call!r:.300}")
    written = next((function[key] for key in ("args", "arguments") if key in function), _NOTHING)
    if written is _NOTHING:
        raise ValueError(f"The call of `{function['name']}` has no `args`: {call!r:.300}")
    identity = call.get("id") or call.get("call_id")
    return {"id": identity, "name": function["name"], "args": _read_args(written)}


_NOTHING = object()


def _read_args(args: Any) -> Any:
    if args is None or args == "":
        return {}
    if not isinstance(args, str):
        return dict(args) if isinstance(args, Mapping) else args
    import orjson

    try:
        return orjson.loads(args)
    except ValueError:
        import json_repair

        return json_repair.loads(args)


def _with_ids(calls: list[Any], results: Any) -> list[Any]:
    """The calls with the ids of their results, where they were kept without."""
    found = getattr(results, "tool_call_results", None)
    if isinstance(results, Mapping):
        found = results.get("tool_call_results")
    if not isinstance(found, list) or len(found) != len(calls):
        return calls
    return [
        {**call, "id": _part(result, "call_id")}
        if isinstance(call, dict) and call["id"] is None and _part(result, "name") == call["name"]
        else call
        for call, result in zip(calls, found, strict=True)
    ]


def _part(result: Any, name: str) -> Any:
    return result.get(name) if isinstance(result, Mapping) else getattr(result, name, None)


def _by_name(functions: Mapping[str, Any] | Sequence[Any] | None) -> Mapping[str, Callable[..., Any]]:
    if isinstance(functions, Mapping):
        return functions
    return {getattr(item, "name", None) or item.__name__: item for item in functions or ()}


def _json_text(args: Any) -> str:
    import json

    from pydantic_core import to_jsonable_python

    return json.dumps(to_jsonable_python(args, fallback=str), ensure_ascii=False)
