"""What makes two searches the same: the program, the data, the metric and the optimizer's settings, as data."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import CodeType
from typing import Any

from dspx.core.canonical import stable_hash, to_plain
from dspx.core.module import Module
from dspx.lm.secret_names import is_secret


def of_program(program: Any) -> dict[str, Any]:
    """A hash for the code of each module class, and one for each leaf's signature, values and settings."""
    parts = {f"code of {cls.__qualname__}": of_code(cls) for cls in _classes(program)}
    for name, leaf in program.named_predictors():
        parts[f"leaf {name}"] = stable_hash(_leaf(leaf))[:16]
    return parts


def of_data(examples: Sequence[Any] | None) -> dict[str, Any] | None:
    """How many examples, and a hash of what is in them."""
    if examples is None:
        return None
    return {"size": len(examples), "hash": stable_hash([example_data(example) for example in examples])[:16]}


def example_data(example: Any) -> Any:
    """An example's content as JSON data: its values, and which are inputs."""
    values = example.toDict() if hasattr(example, "toDict") else dict(example)
    return [_plain(values), sorted(getattr(example, "_input_keys", None) or ())]


def of_setting(value: Any) -> Any:
    """A constructor's argument as JSON data that stays the same from process to process."""
    if isinstance(value, Module):
        return of_program(value)
    if hasattr(value, "respond_to"):
        return of_lm(value)
    if isinstance(value, Mapping):
        return {str(key): of_setting(part) for key, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [of_setting(part) for part in value]
    if isinstance(value, type) or callable(value):
        return {"name": name_of(value), "code": of_code(value)}
    if hasattr(value, "toDict"):
        return _plain(value.toDict())
    if hasattr(value, "to_json"):  # a space, a variable, a candidate
        return _plain(value.to_json())
    return _plain(value)


def of_lm(lm: Any) -> Any:
    """The model and its settings, without keys and addresses."""
    if lm is None:
        return None
    settings = {
        name: _plain(value)
        for name, value in getattr(lm, "kwargs", {}).items()
        if value is not None and not is_secret(name) and name not in ("api_base", "base_url")
    }
    return {"model": getattr(lm, "model", type(lm).__qualname__), **settings}


def of_code(thing: Any) -> str:
    """A hash of the source, or of the compiled code where there is no source."""
    while isinstance(thing, partial):
        thing = thing.func
    if not isinstance(thing, type) and not inspect.isroutine(thing):
        thing = type(thing)
    try:
        return stable_hash(inspect.getsource(thing))[:16]
    except (OSError, TypeError):
        return stable_hash([_code(fn) for fn in _functions(thing)])[:16]


def name_of(thing: Any) -> str:
    """What a function, class or callable object is called."""
    while isinstance(thing, partial):
        thing = thing.func
    return str(getattr(thing, "__qualname__", None) or type(thing).__qualname__)


def differences(recorded: Any, now: Any, path: str = "") -> list[str]:
    """In words, where two of these differ."""
    if isinstance(recorded, Mapping) and isinstance(now, Mapping):
        names = [*recorded, *(name for name in now if name not in recorded)]
        return [
            line
            for name in names
            for line in differences(recorded.get(name), now.get(name), f"{path} {name}".strip())
        ]
    if recorded == now:
        return []
    if path.endswith(("hash", "code")) or " leaf " in path or " code of " in path:
        if recorded is None or now is None:
            return [f"{path} is {'new' if recorded is None else 'gone'}"]
        return [f"{path} has changed"]
    return [f"{path} is {now!r:.60} instead of {recorded!r:.60}"]


def _classes(program: Any) -> Iterable[type]:
    found: dict[type, None] = {}
    for _, module in program.named_sub_modules():
        cls: type = type(module)
        if cls.__module__.partition(".")[0] != "dspx":
            found[cls] = None
    return found


def _leaf(leaf: Any) -> Any:
    signature = leaf.signature
    return {
        "class": type(leaf).__qualname__,
        "instructions": signature.instructions,
        "fields": [
            [name, "in" if name in signature.input_fields else "out", str(item.annotation), str(item.desc)]
            for name, item in signature.fields.items()
        ],
        "demos": [_plain(demo.toDict() if hasattr(demo, "toDict") else dict(demo)) for demo in leaf.demos],
        "config": of_setting(leaf.config),
        "lm": of_lm(leaf.lm),
    }


def _plain(value: Any) -> Any:
    try:
        return to_plain(value)
    except TypeError:
        return f"{type(value).__module__}.{type(value).__qualname__}"


def _functions(thing: Any) -> list[Any]:
    if isinstance(thing, type):
        return [part for _, part in sorted(vars(thing).items()) if inspect.isfunction(part)]
    return [inspect.unwrap(thing)]


def _code(fn: Any) -> Any:
    code = getattr(getattr(fn, "__func__", fn), "__code__", None)
    return _constants(code) if isinstance(code, CodeType) else name_of(fn)


def _constants(code: CodeType) -> list[Any]:
    inner = [_constants(part) if isinstance(part, CodeType) else repr(part) for part in code.co_consts]
    return [code.co_code.hex(), list(code.co_names), inner]
