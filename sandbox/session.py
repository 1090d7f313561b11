"""Runs code that a language model wrote and says what became of it. The same file serves Pyodide and CPython.

A `Session` keeps the code's variables. Texts go in and JSON comes out, all of it ASCII: nothing between here and
the host has to understand the values. Whatever the code does to this interpreter, `execute` answers, or raises
where the interpreter is past answering; never does it lose a value in silence.
"""

import ast
import asyncio
import base64
import builtins
import dataclasses
import datetime
import decimal
import enum
import errno
import functools
import inspect
import io
import json
import keyword
import linecache
import os
import random
import sys
import traceback
import types
from collections import abc

MAX_STDOUT = 1_000_000
MAX_VALUE = 16_000_000
MAX_TRACEBACK = 10_000
MAX_DEPTH = 100
MAX_REPR = 10_000
REMEMBERED_SOURCES = 50
INTERRUPTS = 5
SHOWN_FRAMES = 8  # at each end of a traceback
CODES = {
    "SyntaxError": -32000,
    "IndentationError": -32000,
    "TabError": -32000,
    "NameError": -32001,
    "TypeError": -32002,
    "ValueError": -32003,
    "AttributeError": -32004,
    "IndexError": -32005,
    "KeyError": -32006,
    "RuntimeError": -32007,
    "CodeInterpreterError": -32008,
}
OTHER = -32099


class Submitted(BaseException):
    """Ends the code: `SUBMIT` was called. The outputs are on the session."""


class Session:
    """The code's variables, its tools and what it has submitted."""

    def __init__(self, builtins=builtins):
        self.module = types.ModuleType("__main__")
        self.module.__dict__["__builtins__"] = builtins
        self.builtins = builtins
        self.variables = self.module.__dict__
        self.call_tool = None
        self.owns_process = False
        self.stdout = _Stdout()
        self.provided = {}
        self.count = 0
        self.submitted = None
        self.task = None
        self.register("{}")

    def connect(self, call_tool):
        """Take over this interpreter's `__main__`; `call_tool(json) -> json` reaches the host."""
        self.call_tool = call_tool
        self.owns_process = True
        sys.modules["__main__"] = self.module
        sys.stdin = io.StringIO()
        random.seed()  # a snapshot holds one state for all
        if hasattr(sys, "set_int_max_str_digits"):
            sys.set_int_max_str_digits(0)
        if sys.platform == "emscripten":
            _without_processes()

    def register(self, text):
        """Provide tools and a typed SUBMIT: `{"tools": [...], "outputs": [...]}`. Gives their names."""
        params = json.loads(text)
        tools = [{"name": tool} if isinstance(tool, str) else tool for tool in params.get("tools") or ()]
        outputs = params.get("outputs") or ()
        for name in [tool["name"] for tool in tools] + [output["name"] for output in outputs]:
            if not name.isidentifier() or keyword.iskeyword(name):
                raise ValueError(f"{name!r} cannot be a name in Python code")
        for name in self.provided:
            self.variables.pop(name, None)
        self.provided = {tool["name"]: self._tool(tool["name"], tool.get("parameters")) for tool in tools}
        self.provided["SUBMIT"] = self._submit(outputs)
        self.variables.update(self.provided)
        return json.dumps(
            {"tools": [tool["name"] for tool in tools], "outputs": [output["name"] for output in outputs]}
        )

    def execute(self, code, variables="{}"):
        """The reply to `execute`, as JSON. A coroutine of it where the code awaits at its top level."""
        self.count += 1
        self.submitted = None
        if self.provided.keys() - self.variables.keys() or any(
            self.variables[name] is not thing for name, thing in self.provided.items()
        ):
            self.variables.update(self.provided)
        stream = self.stdout.opened()
        if self.owns_process:
            sys.stdout = sys.stderr = stream
        elif isinstance(self.builtins, dict):
            self.builtins["print"] = functools.partial(print, file=stream)
        try:
            parts = _compiled(code, f"<sandbox {self.count}>")
            self.variables.update(json.loads(variables))
        except BaseException as error:
            return self._failed(error)
        if any(part.co_flags & inspect.CO_COROUTINE for part in parts):
            return self._awaited(parts)
        try:
            value = None
            for part in parts:
                value = eval(part, self.variables)
            return self._done(value)
        except BaseException as error:
            return self._failed(error)

    def cancel(self):
        """End code that awaits; code that computes is interrupted by a KeyboardInterrupt instead."""
        if self.task is not None:
            self.task.cancel()

    async def _awaited(self, parts):
        self.task = asyncio.current_task()
        try:
            value = None
            for part in parts:
                value = eval(part, self.variables)
                if part.co_flags & inspect.CO_COROUTINE:
                    value = await value
            return self._done(value)
        except BaseException as error:
            return self._failed(error)
        finally:
            left_running = asyncio.all_tasks() - {self.task}
            self.task = None
            for task in left_running:
                task.cancel()

    def _done(self, value):
        if self.submitted is not None:
            return json.dumps({"result": {"final": self.submitted, "stdout": self.stdout.taken()}})
        plain = _Plain()
        output = json.dumps(plain(value))
        if len(output) > MAX_VALUE:
            raise ValueError(
                f"the value takes {len(output)} characters, more than the {MAX_VALUE} that may leave the sandbox; "
                "keep it in a variable and look at parts of it"
            )
        beside = {"stdout": self.stdout.taken()}
        if value is None:
            output = json.dumps(beside["stdout"])
        else:
            beside["has_value"] = True
        if not plain.exact:
            beside["repr"] = _shown(value)
        return '{"result": {"output": ' + output + ", " + json.dumps(beside)[1:] + "}"

    def _failed(self, error):
        stdout = self.stdout.taken()
        for _ in range(INTERRUPTS):
            try:
                if isinstance(error, Submitted) and self.submitted is not None:
                    return json.dumps({"result": {"final": self.submitted, "stdout": stdout}})
                return json.dumps({"error": _described(error, stdout)})
            except KeyboardInterrupt:  # the code's time ran out just now
                continue
        raise error

    def _tool(self, name, parameters):
        signature = _signature(parameters)

        def tool(*args, **kwargs):
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{name}(): {error}") from None
            return self._ask(name, *_by_name(bound))

        tool.__name__ = tool.__qualname__ = name
        tool.__signature__ = signature
        tool.__module__ = "__main__"
        return tool

    def _ask(self, name, args, kwargs):
        request = {"name": name, "kwargs": {key: _strict(value, name, key) for key, value in kwargs.items()}}
        if args:
            request["args"] = [
                _strict(value, name, f"argument {place}") for place, value in enumerate(args, 1)
            ]
        reply = json.loads(self.call_tool(json.dumps(request)))
        error = reply.get("error")
        if error is not None:
            kind = (error.get("data") or {}).get("type") or "Error"
            raise RuntimeError(f"{kind}: {error.get('message', '')}")
        result = reply["result"]
        return json.loads(result["value"]) if result.get("type") == "json" else result["value"]

    def _submit(self, outputs):
        signature = _signature([{"name": output["name"]} for output in outputs or ({"name": "output"},)])

        def SUBMIT(*args, **kwargs):
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"SUBMIT{signature}: {error}") from None
            values = {key: _strict(value, "SUBMIT", key) for key, value in bound.arguments.items()}
            self.submitted = values
            raise Submitted

        SUBMIT.__signature__ = signature
        SUBMIT.__module__ = "__main__"
        return SUBMIT


def _without_processes():
    """What would end the interpreter raises instead."""

    def refuse(*args, **kwargs):
        raise OSError(errno.ENOSYS, "there are no processes in the sandbox")

    def leave(status=0):
        raise SystemExit(status)

    for module in (os, sys.modules["posix"]):
        module.system, module._exit, module.abort = refuse, leave, leave


# ---------------------------------------------------------------- code and tools


def _compiled(code, filename):
    """The code in two parts: its statements, and the expression it ends with, whose value is the result."""
    tree = ast.parse(code, filename)
    lines = code.splitlines(keepends=True)
    linecache.cache[filename] = (len(code), None, lines, filename)
    number = int(filename.split()[1].rstrip(">"))
    linecache.cache.pop(f"<sandbox {number - REMEMBERED_SOURCES}>", None)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    parts = [compile(tree, filename, "exec", flags, dont_inherit=True)]
    if last is not None:
        parts.append(compile(ast.Expression(last.value), filename, "eval", flags, dont_inherit=True))
    return parts


_KINDS = {
    None: inspect.Parameter.POSITIONAL_OR_KEYWORD,
    "keyword": inspect.Parameter.KEYWORD_ONLY,
    "*": inspect.Parameter.VAR_POSITIONAL,
    "**": inspect.Parameter.VAR_KEYWORD,
}
_OPTIONAL = "<the tool's default>"


def _signature(parameters):
    """The signature that the host describes; of any arguments where it describes none."""
    if parameters is None:
        parameters = [{"name": "args", "kind": "*"}, {"name": "kwargs", "kind": "**"}]
    made = []
    for parameter in parameters:
        default = parameter.get("default", inspect.Parameter.empty)
        if default is inspect.Parameter.empty and parameter.get("optional"):
            default = _OPTIONAL
        made.append(inspect.Parameter(parameter["name"], _KINDS[parameter.get("kind")], default=default))
    return inspect.Signature(made)


def _by_name(bound):
    """What was given, as (positional, by name): by name wherever the parameter has one."""
    args, kwargs = (), {}
    for name, value in bound.arguments.items():
        kind = bound.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            args = value
        elif kind is inspect.Parameter.VAR_KEYWORD:
            kwargs.update(value)
        else:
            kwargs[name] = value
    if args:  # names before *args can only be given by position
        return bound.args, {name: kwargs[name] for name in bound.kwargs}
    return args, kwargs


# ---------------------------------------------------------------- output


class _Stdout:
    """What the code prints, up to a limit. It survives being closed by the code."""

    def __init__(self):
        self.sink = _Sink()
        self.stream = None

    def opened(self):
        if self.stream is None or self.stream.closed:
            self.sink = _Sink()
            self.stream = io.TextIOWrapper(self.sink, "utf-8", "backslashreplace", write_through=True)
        return self.stream

    def taken(self):
        """All that was printed since the last time."""
        sink = self.sink
        text = sink.content.decode("utf-8", "replace")
        if sink.dropped:
            text += f"\n... ({sink.dropped} more bytes of output were dropped)"
        sink.content, sink.dropped = bytearray(), 0
        return text


class _Sink(io.BufferedIOBase):
    def __init__(self):
        self.content = bytearray()
        self.dropped = 0

    def writable(self):
        return True

    def write(self, data):
        size = len(data)
        kept = max(0, min(size, MAX_STDOUT - len(self.content)))
        self.content += bytes(data[:kept]) if kept < size else data
        self.dropped += size - kept
        return size


# ---------------------------------------------------------------- values


class _Plain:
    """A value as JSON can say it. `exact` turns False where something had to become something else."""

    def __init__(self, fallback=None):
        self.exact = True
        self.fallback = fallback or _shown
        self.around = []

    def __call__(self, value, depth=0):
        kind = type(value)
        if value is None or kind is bool or kind is float or kind is str:
            return value
        if kind is int:
            return value if value.bit_length() < 13_000 else self._other(hex(value))
        if depth >= MAX_DEPTH or any(value is outer for outer in self.around):
            return self._other(_shown(value))
        self.around.append(value)
        try:
            return self._inside(value, kind, depth + 1)
        finally:
            self.around.pop()

    def _inside(self, value, kind, depth):
        if kind is list:
            return [self(item, depth) for item in value]
        if kind is dict:
            return self._mapping(value, depth)
        if kind is tuple:
            self.exact = False
            return [self(item, depth) for item in value]
        self.exact = False
        return self._less_common(value, depth)

    def _less_common(self, value, depth):
        if isinstance(value, enum.Enum):
            return self(value.value, depth)
        for base in (bool, int, float, str):
            if isinstance(value, base):
                return self(base.__add__(value, base()) if base is str else base(value), depth)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return base64.b64encode(bytes(value)).decode("ascii")
        if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
            return value.isoformat()
        if isinstance(value, (decimal.Decimal, complex)) or type(value).__name__ in _WRITTEN:
            return str(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {
                field.name: self(getattr(value, field.name), depth) for field in dataclasses.fields(value)
            }
        if isinstance(value, abc.Mapping):
            return self._mapping(value, depth)
        if isinstance(value, (set, frozenset, abc.KeysView, abc.ItemsView)):
            return [self(item, depth) for item in _ordered(value)]
        if isinstance(value, (list, tuple, abc.ValuesView)) or type(value).__name__ in ("deque", "range"):
            return [self(item, depth) for item in value]
        if callable(tolist := getattr(value, "tolist", None)) and not isinstance(value, type):
            return self(tolist(), depth)
        return self.fallback(value)

    def _mapping(self, value, depth):
        names = {}
        for key, item in value.items():
            name = key if type(key) is str else self._other(_name(key))
            if name in names:  # two keys that JSON cannot tell apart
                return [[self(key, depth), self(item, depth)] for key, item in value.items()]
            names[name] = self(item, depth)
        return names

    def _other(self, value):
        self.exact = False
        return value


_WRITTEN = frozenset(
    {"UUID", "Fraction", "PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath", "timedelta"}
)


def _strict(value, function, argument):
    """The value as JSON, or a TypeError that says what may be given."""

    def refuse(value):
        raise TypeError(
            f"{function}: {argument} is or holds a {type(value).__name__}, which cannot leave the sandbox; "
            "give text, numbers, booleans, None, and lists or dicts of them"
        )

    return _Plain(refuse)(value)


def _name(key):
    return str(key) if isinstance(key, (int, float)) or key is None else _shown(key)


def _ordered(values):
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=_shown)


def _shown(value):
    """`repr(value)`, within limits, whatever the value does."""
    try:
        text = repr(value)
    except Exception as error:
        text = f"<{type(value).__name__} whose repr raised {type(error).__name__}>"
    return _cut(text, MAX_REPR)


def _cut(text, limit):
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n... ({len(text) - 2 * half} characters) ...\n{text[-half:]}"


# ---------------------------------------------------------------- errors


def _described(error, stdout):
    kind = type(error).__name__
    for one in _led_to(error):
        one.__traceback__ = _only_the_codes_own(one.__traceback__)
    report = traceback.TracebackException(type(error), error, _only_the_codes_own(error.__traceback__))
    last = "".join(report.format_exception_only()).rstrip("\n")
    message = last if isinstance(error, SyntaxError) else last.removeprefix(f"{kind}: ")
    return {
        "code": CODES.get(kind, OTHER),
        "message": _cut(message, MAX_REPR),
        "data": {
            "type": kind,
            "args": [_Plain()(argument) for argument in getattr(error, "args", ())],
            "traceback": _cut("".join(report.format()), MAX_TRACEBACK),
            "stdout": stdout,
        },
    }


def _led_to(error):
    """The error and those that it came from."""
    found, open_ends = [], [error]
    while open_ends and len(found) < 50:
        one = open_ends.pop()
        if isinstance(one, BaseException) and not any(one is other for other in found):
            found.append(one)
            open_ends += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]
    return found


def _only_the_codes_own(trace):
    """A traceback without the frames of this file and of the library; of a long one, both ends."""
    kept = []
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith("<sandbox"):
            kept.append(trace)
        trace = trace.tb_next
    if len(kept) > 2 * SHOWN_FRAMES:
        kept = kept[:SHOWN_FRAMES] + kept[-SHOWN_FRAMES:]
    after = None
    for frame in reversed(kept):
        after = types.TracebackType(after, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return after
