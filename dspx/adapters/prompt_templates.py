"""Jinja templates for messages, in a sandbox; a mistake is reported with its message, its line and the names there are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from dspx.errors import UsageError


class Names(Mapping[str, Any]):
    """Named values for a template: `inputs.question`, `inputs["question"]`, `{% for name, text in inputs.items() %}`."""

    def __init__(self, label: str, values: Mapping[str, Any]) -> None:
        self._label = label
        self._values = dict(values)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def explain_missing(self, name: Any) -> str:
        return f"{self._label} has no {name!r}; it has: {', '.join(self._values) or 'nothing'}"

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class _Missing(StrictUndefined):
    """A name that is not there: an error as soon as it is used, except to ask whether it `is defined`."""

    @property
    def _undefined_message(self) -> str:
        if isinstance(self._undefined_obj, Names):
            return self._undefined_obj.explain_missing(self._undefined_name)
        return super()._undefined_message


class _Environment(SandboxedEnvironment):
    """A sandbox in which `inputs.items` is the input of that name, if there is one, before it is a method."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Names) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """One text; `place` says where it stands, for errors."""

    place: str
    source: str

    def render(self, values: Mapping[str, Any]) -> str:
        """The text. `UsageError` with place and line where the template asks for what is not there or not allowed."""
        try:
            return _code(self.source).render(values)
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            line = _template_line(error)
            where = f"{self.place}, line {line}" if line else self.place
            raise UsageError(f"The template of {where} cannot be rendered: {error}") from error


def compile_template(source: str, place: str) -> PromptTemplate:
    """`UsageError` with place and line where the template is not well-formed."""
    try:
        _code(source)
    except TemplateSyntaxError as error:
        raise UsageError(
            f"The template of {place}, line {error.lineno}, is not well-formed: {error}"
        ) from error
    return PromptTemplate(place, source)


@lru_cache(maxsize=1024)
def _code(source: str) -> Template:
    return _environment().from_string(source)


@lru_cache(maxsize=1)
def _environment() -> SandboxedEnvironment:
    environment = _Environment(
        autoescape=False,
        undefined=_Missing,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters["tojson"] = _to_json
    return environment


def _to_json(value: Any, indent: int | None = None) -> str:
    """For prompts, not for HTML: nothing but quotes is escaped."""
    plain = dict(value) if isinstance(value, Names) else value
    return json.dumps(plain, ensure_ascii=False, indent=indent, default=_plain)


def _plain(value: Any) -> Any:
    from pydantic_core import to_jsonable_python

    return dict(value) if isinstance(value, Names) else to_jsonable_python(value)


def _template_line(error: BaseException) -> int | None:
    """The innermost line of the template in the error's traceback, which jinja2 rewrites to template lines."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
