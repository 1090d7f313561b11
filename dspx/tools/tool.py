"""A function that a model can call: its name, what it is for, what it takes, checked arguments.

def search(query: str, limit: int = 5) -> list[str]:
    \"\"\"Search the archive.

    Args:
        query: words to look for
    \"\"\"

tool = dspx.Tool(search)
tool(query="lighthouses")
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import ConfigDict, PrivateAttr, model_serializer

from dspx.content.tool_calls import ToolType
from dspx.core.calls import stepped
from dspx.core.candidate import ToolValues, bound
from dspx.core.events import aobserve
from dspx.errors import ToolArgumentsError, UsageError
from dspx.runtime.bridge import call, run
from dspx.tools import docstring
from dspx.tools.approval import Approve, approved_args
from dspx.tools.schema import Parameters, parameters_of, problem_with

if TYPE_CHECKING:
    from typing_extensions import Self


class Tool(ToolType):
    """`Tool(func)`: sync or async, read from its hints and docstring; any argument here goes before what was read.

    `args` are JSON schemas by argument, `arg_types` the Python types that values become, `arg_desc` descriptions.
    `approve(tool, args)` is asked before each call: see `dspx.tools.approval`. A call takes keywords, checks them
    and returns what the function returns; `ToolArgumentsError` says which argument is wrong.

    `desc` and `arg_desc` are variables: an optimizer may bind other texts for a rollout (`ToolValues`), and
    prompts and schemas then show those.
    """

    is_tool: ClassVar[bool] = True

    func: Callable[..., Any]
    name: str
    desc: str | None = None
    args: dict[str, Any]
    arg_types: dict[str, Any]
    arg_desc: dict[str, str] | None = None
    has_kwargs: bool = False

    model_config = ConfigDict(arbitrary_types_allowed=True)

    _approve: Approve | None = PrivateAttr(None)
    _required: tuple[str, ...] | None = PrivateAttr(None)
    """What a model is told to give, where a schema says so; else all without a default."""
    _must: tuple[str, ...] = PrivateAttr(())
    """What the function cannot be called without."""
    _positional: tuple[str, ...] = PrivateAttr(())
    _checks: dict[str, Any] = PrivateAttr(default_factory=dict)
    _first_texts: tuple[str | None, dict[str, str]] = PrivateAttr((None, {}))

    def __init__(
        self,
        func: Callable[..., Any],
        name: str | None = None,
        desc: str | None = None,
        args: dict[str, Any] | None = None,
        arg_types: dict[str, Any] | None = None,
        arg_desc: dict[str, str] | None = None,
        *,
        has_kwargs: bool | None = None,
        approve: Approve | None = None,
    ) -> None:
        if not callable(func):
            raise UsageError(f"A tool is made from a function, not from {func!r:.100}.")
        read = Parameters() if args is not None and arg_types is not None else parameters_of(func)
        text, said = docstring.read(_doc_of(func))
        own_args = read.args if args is None else args
        said = {name: words for name, words in said.items() if args is None and name in own_args}
        said.update(arg_desc or {})
        init: Any = super().__init__
        init(
            func=func,
            name=name or _name_of(func),
            desc=text if desc is None else desc,
            args={key: _described(schema, said.get(key)) for key, schema in own_args.items()},
            arg_types=dict(read.types if arg_types is None else arg_types),
            arg_desc=arg_desc,
            has_kwargs=read.takes_any if has_kwargs is None else has_kwargs,
        )
        self._approve = approve
        self._positional = read.positional
        self._must = tuple(key for key, schema in read.args.items() if "default" not in schema)
        self._first_texts = (self.desc, dict(self.arg_desc or {}))

    # ------------------------------------------------------------ calling

    def __call__(self, **kwargs: Any) -> Any:
        return run(stepped(self)(**kwargs))

    async def acall(self, **kwargs: Any) -> Any:
        """The same call for async code."""
        return await aobserve("tool", self, lambda: {"kwargs": kwargs}, self._answer, kwargs)

    async def _answer(self, kwargs: dict[str, Any]) -> Any:
        kwargs = await approved_args(self._approve, self, kwargs)
        values = self._checked(kwargs)
        if self._positional:
            first = [values.pop(name) for name in self._positional if name in values]
            return await call(self.func, *first, **values)
        return await call(self.func, **values)

    def _checked(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as the function wants them."""
        args = self.args
        values: dict[str, Any] = {}
        for name, value in kwargs.items():
            if name in args:
                values[name] = self._value_of(name, value)
            elif self.has_kwargs:
                values[name] = value
            else:
                raise ToolArgumentsError(
                    f"Arg {name} is not in the tool's args. {self.name} takes {list(args) or 'nothing'}."
                )
        missing = [name for name in self._must if name not in values]
        if missing:
            raise ToolArgumentsError(f"Arg {missing[0]} is missing: {self.name} needs {', '.join(missing)}.")
        return values

    def _value_of(self, name: str, value: Any) -> Any:
        check = self._checks.get(name)
        if check is None:
            check = self._checks[name] = _check_for(self.arg_types.get(name, Any), self.args[name])
        try:
            return check(value)
        except ValueError as error:
            raise ToolArgumentsError(f"Arg {name} is invalid: {_why(error)} (got {value!r:.80}).") from error

    # ------------------------------------------------------------ in prompts and schemas

    def format(self) -> str:
        return str(self)

    def format_as_litellm_function_call(self) -> dict[str, Any]:
        desc, args = self._shown()
        required = self._required
        if required is None:
            required = [name for name, schema in args.items() if "default" not in schema]
        parameters = {"type": "object", "properties": args, "required": list(required)}
        function = {"name": self.name, "description": desc, "parameters": parameters}
        if desc is None:  # servers refuse null here
            del function["description"]
        return {"type": "function", "function": function}

    def _shown(self) -> tuple[str | None, dict[str, Any]]:
        """The description and the arguments' schemas, in the texts that are bound for this rollout."""
        values = bound.get()
        mine: ToolValues | None = values.get(id(self)) if values else None
        said = self.arg_desc
        desc = self.desc
        if mine is not None:
            desc = desc if mine.desc is None else mine.desc
            said = {**(said or {}), **mine.arg_desc} if mine.arg_desc else said
        if not said:
            return desc, self.args
        return desc, {key: _described(schema, said.get(key)) for key, schema in self.args.items()}

    def __str__(self) -> str:
        desc, args = self._shown()
        purpose = f", whose description is <desc>{desc}</desc>.".replace("\n", "  ") if desc else "."
        return f"{self.name}{purpose} It takes arguments {args}."

    def __repr__(self) -> str:
        return f"Tool(name={self.name}, desc={self.desc}, args={self.args})"

    @model_serializer()
    def serialize_model(self) -> Any:
        return str(self)

    # ------------------------------------------------------------ as a part of a program

    def dump_state(self, json_mode: bool = True) -> dict[str, Any]:
        """The texts that can be tuned."""
        return {"desc": self.desc, "arg_desc": dict(self.arg_desc or {})}

    def read_state(self, state: Mapping[str, Any], *, allow_unsafe_lm_state: bool = False) -> dict[str, Any]:
        """The attributes that `state` stands for; nothing is changed yet."""
        return {"desc": state.get("desc"), "arg_desc": dict(state.get("arg_desc") or {}) or None}

    def take_state(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            setattr(self, name, value)

    @property
    def is_tuned(self) -> bool:
        """Whether its texts are others than those it was made with."""
        return (self.desc, dict(self.arg_desc or {})) != self._first_texts

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """The function is shared: it may hold connections and the like. The texts are the copy's own."""
        new = self.model_copy()
        new.args = {name: dict(schema) for name, schema in self.args.items()}
        new.arg_desc = dict(self.arg_desc) if self.arg_desc else None
        if memo is not None:
            memo[id(self)] = new
        return new

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    # ------------------------------------------------------------ from elsewhere

    @classmethod
    def from_mcp_tool(
        cls, session: Any, tool: Any, *, result_mode: Literal["text", "structured"] = "text"
    ) -> Tool:
        """A tool of an MCP server, called through `session`. `result_mode="structured"` returns its structured
        content where it gives some. Works with versions 1 and 2 of the MCP SDK."""
        from dspx.tools.mcp import tool_of

        return tool_of(cls, session, tool, result_mode)

    @classmethod
    def from_langchain(cls, tool: Any) -> Tool:
        """A LangChain tool."""
        from dspx.tools.langchain import tool_of

        return tool_of(cls, tool)


def _name_of(func: Any) -> str:
    while isinstance(func, partial):
        func = func.func
    return getattr(func, "__name__", None) or type(func).__name__


def _doc_of(func: Any) -> str | None:
    while isinstance(func, partial):
        func = func.func
    if inspect.isroutine(func) or isinstance(func, type):
        return func.__doc__
    return type(func).__doc__ or type(func).__call__.__doc__


def _described(schema: Any, words: str | None) -> Any:
    return {**schema, "description": words} if words is not None and isinstance(schema, Mapping) else schema


# ---------------------------------------------------------------- checking one argument


def _check_for(annotation: Any, schema: Any) -> Callable[[Any], Any]:
    """What makes a model's value into the argument's: by its type, or where that is not known by its schema."""
    if annotation is Any or annotation in _ANY_OF_ITS_KIND:
        return partial(_by_schema, schema)
    import pydantic

    try:
        adapter: Any = pydantic.TypeAdapter(annotation)
    except pydantic.errors.PydanticSchemaGenerationError:
        adapter = pydantic.TypeAdapter(annotation, config=pydantic.ConfigDict(arbitrary_types_allowed=True))
    return partial(_by_type, adapter.validate_python)


_ANY_OF_ITS_KIND = (dict, list, None)


def _by_schema(schema: Any, value: Any) -> Any:
    problem = problem_with(value, schema)
    if problem is None:
        return value
    meant = _json_in(value)
    if meant is value or problem_with(meant, schema) is not None:
        raise ValueError(problem)
    return meant


def _by_type(validate: Callable[[Any], Any], value: Any) -> Any:
    try:
        return validate(value)
    except ValueError:
        meant = _json_in(value)
        if meant is value:
            raise
    return validate(meant)


def _json_in(value: Any) -> Any:
    """Models like to write lists and objects as JSON inside a string."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        import orjson

        try:
            return orjson.loads(value)
        except ValueError:
            return value
    return value


def _why(error: ValueError) -> str:
    from dspx.adapters.coerce import why

    return why(error)
