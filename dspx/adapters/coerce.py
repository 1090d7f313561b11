"""Text, or JSON's values, into the type of a field: exact where the text is, tolerant where its meaning is plain."""

from __future__ import annotations

import copy
import enum
import math
import re
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any, Literal, Union

from dspx.adapters import loose_json
from dspx.adapters.render import content_types, is_class, is_content_subclass, value_text
from dspx.core.fields import Field

Coercer = Callable[[Any], Any]
"""A completion's text for a field, or a JSON value → the field's value. `ValueError` says why it is none."""


def coercer(field: Field) -> Coercer:
    """How the values of this field are read, decided once."""
    annotation = field.annotation
    direct = _DIRECT.get(annotation) if isinstance(annotation, type) else None
    if direct is None:
        return _Reader(annotation, _Validator(field))
    if not _is_constrained(field):
        return direct
    validate = _Validator(field)
    return lambda value: validate(direct(value))


def parse_value(value: Any, annotation: Any) -> Any:
    """The value of this type that a text or a JSON value stands for. `ValueError` where it stands for none."""
    return coercer(Field("", annotation, "output"))(value)


def allows_none(annotation: Any) -> bool:
    """Whether None is among the values of a type."""
    if annotation is None or annotation is type(None):
        return True
    if hasattr(annotation, "__metadata__"):
        return allows_none(annotation.__origin__)
    return is_union(annotation) and any(allows_none(member) for member in typing.get_args(annotation))


def is_union(annotation: Any) -> bool:
    origin = typing.get_origin(annotation)
    return origin is Union or origin is types.UnionType


def why(error: ValueError) -> str:
    """What was wrong with a value, in one line that can be said to a model."""
    errors = getattr(error, "errors", None)
    if errors is None:
        return str(error)
    problems = errors(include_url=False, include_context=False, include_input=False)
    told = [f"{_place(problem['loc'])}{problem['msg']}" for problem in problems[:3]]
    return "; ".join(told) + (f" (and {len(problems) - 3} more)" if len(problems) > 3 else "")


class _Validator:
    """The field's pydantic validator, built when a value first needs it."""

    __slots__ = ("_validate", "field")

    def __init__(self, field: Field) -> None:
        self.field = field
        self._validate: Any = None

    def __call__(self, value: Any) -> Any:
        validate = self._validate
        if validate is None:
            # Its core: the adapter around it takes longer than it does to read a number.
            validate = self._validate = self.field.validator.validator.validate_python
        return validate(value)


_SAID_ONLY = frozenset({"description", "title", "examples", "alias", "repr", "exclude", "deprecated"})


def _is_constrained(field: Field) -> bool:
    return bool(field.metadata) or any(option not in _SAID_ONLY for option in field.options)


def _place(loc: tuple[Any, ...]) -> str:
    return f"{'.'.join(str(part) for part in loc)}: " if loc else ""


# ---------------------------------------------------------------- texts, numbers, truth

_WRAPPERS = ("**", "__", "`", '"', "'", "*", "_")
_TRUTH = {
    **dict.fromkeys(("true", "yes", "y", "t", "1", "on"), True),
    **dict.fromkeys(("false", "no", "n", "f", "0", "off"), False),
}
_NOTHING = frozenset({"null", "none", "nil", "n/a", "na", ""})
_INTEGER = re.compile(r"[+-]?[0-9]{1,4000}")
_NUMBER = re.compile(
    r"([+-]?)[$€£¥]?\s?([+-]?)([0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?)\.?"
)


def bare(text: str) -> str:
    """A word without what models put around it: space, quotes, emphasis, a full stop."""
    text = text.strip()
    while text:
        shorter = text.rstrip(".;,!").rstrip()
        for mark in _WRAPPERS:
            if len(shorter) > 2 * len(mark) and shorter.startswith(mark) and shorter.endswith(mark):
                shorter = shorter[len(mark) : -len(mark)].strip()
                break
        if shorter == text:
            break
        text = shorter
    return text


def _to_str(value: Any) -> str:
    return value if type(value) is str else str(value)


def _to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        truth = _TRUTH.get(value.strip().lower())
        if truth is None:
            truth = _TRUTH.get(bare(value).lower())
        if truth is not None:
            return truth
        value = _number(value)
    if value in (0, 1):
        return bool(value)
    raise ValueError(f"{_shown(value)} is neither True nor False")


def _to_int(value: Any) -> int:
    if isinstance(value, str):
        if _INTEGER.fullmatch(text := value.strip()):
            return int(text)
        value = _number(text)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise ValueError(f"{_shown(value)} is not an int")


def _to_float(value: Any) -> float:
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            value = _number(value)
    if isinstance(value, (int, float)):
        return float(value)
    raise ValueError(f"{_shown(value)} is not a float")


def _number(text: str) -> Any:
    """The one number that a text is: `**1,234.5**`, `$42`, `"7."`. The text itself where there is doubt."""
    found = _NUMBER.fullmatch(bare(text))
    if found is None or (found[1] and found[2]):
        return text
    digits = found[1] + found[2] + found[3].replace(",", "")
    if _INTEGER.fullmatch(digits):
        return int(digits)
    number = float(digits)
    return text if math.isinf(number) else number


def _shown(value: Any) -> str:
    return f"{value!r:.80}"


_DIRECT: dict[Any, Coercer] = {str: _to_str, bool: _to_bool, int: _to_int, float: _to_float}


# ---------------------------------------------------------------- every other type


class _Reader:
    """Reads one type: tries what the text says exactly, then what it may have been meant to say."""

    __slots__ = ("annotation", "attempt", "validate")

    def __init__(self, annotation: Any, validate: Coercer) -> None:
        self.annotation = annotation
        self.validate = validate
        self.attempt = _attempt_for(annotation)

    def __call__(self, value: Any) -> Any:
        first: ValueError | None = None
        for candidate in self.attempt(value, self.annotation):
            try:
                return self.validate(candidate)
            except ValueError as error:
                problem = error
            first = first or problem
            try:
                return self.validate(_mended(candidate, self.annotation, problem))
            except ValueError:
                continue
        raise first or ValueError(f"{_shown(value)} is no {self.annotation}")


Attempt = Callable[[Any, Any], Iterator[Any]]
"""A value and a type → what the value may stand for, the most certain first."""


def _attempt_for(annotation: Any) -> Attempt:
    origin = typing.get_origin(annotation)
    if is_class(annotation, enum.Enum):
        return _enum_members
    if origin is Literal:
        return _literal_choices
    if is_union(annotation):
        return _union_values
    if annotation is bytes or annotation is bytearray:
        return _bytes_values
    if annotation is type(None):
        return _none_values
    if annotation is Any or annotation is object or isinstance(annotation, typing.TypeVar):
        return _any_values
    if origin is None and content_types(annotation):
        return _content_values
    if origin is None and _is_written_as_text(annotation):
        return _texts
    return _json_values


def _is_written_as_text(annotation: Any) -> bool:
    """Dates, decimals, UUIDs, URLs, paths …: one text each. Containers and records are JSON."""
    from dspx.adapters.record_types import parts_of

    if not isinstance(annotation, type) or parts_of(annotation) is not None:
        return False
    if hasattr(annotation, "__pydantic_root_model__"):
        return False
    return annotation not in _JSON_CLASSES and not issubclass(annotation, (list, dict, tuple, set, frozenset))


_JSON_CLASSES = frozenset({list, dict, tuple, set, frozenset})


def _texts(value: Any, annotation: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, str):
        yield value.strip()
        yield bare(value)
        yield _number(value)
        yield from _json_values(value, annotation)


def _json_values(value: Any, annotation: Any) -> Iterator[Any]:
    if not isinstance(value, str):
        yield value
        yield from _reshaped(value, annotation)
        return
    text = value.strip()
    try:
        exact = loose_json.strict(text)
        yield exact
        yield from _reshaped(exact, annotation)
        if isinstance(exact, str):  # JSON inside a JSON string
            yield from _json_values(exact, annotation)
    except ValueError:
        for candidate in loose_json.candidates(text):
            yield candidate
            yield from _reshaped(candidate, annotation)
    yield value
    yield from _listed(text, annotation)


def _any_values(value: Any, annotation: Any) -> Iterator[Any]:
    if isinstance(value, str):
        try:
            yield loose_json.strict(value.strip())
        except ValueError:
            yield from loose_json.candidates(value)
    yield value


def _none_values(value: Any, annotation: Any) -> Iterator[Any]:
    yield None if isinstance(value, str) and bare(value).lower() in _NOTHING else value


def _bytes_values(value: Any, annotation: Any) -> Iterator[Any]:
    """UTF-8 text as it is, so that any bytes which are text come back; else Python's literal."""
    if isinstance(value, str) and value.strip()[:2] in ("b'", 'b"'):
        yield from (found for found in loose_json.candidates(value) if isinstance(found, bytes))
    yield value


def _content_values(value: Any, annotation: Any) -> Iterator[Any]:
    """Content types read texts themselves; JSON is for those who write their fields."""
    if not isinstance(value, str):
        yield value
        return
    text = value.strip()
    is_text = is_content_subclass(annotation, "code", "Code") or is_content_subclass(
        annotation, "reasoning", "Reasoning"
    )
    if text[:1] in (("{",) if is_text else ("{", "[", '"')):
        try:
            yield loose_json.strict(text)
        except ValueError:
            if not is_text:
                yield from loose_json.candidates(text)
    yield value
    if not is_text:
        yield from loose_json.candidates(text)


# ---------------------------------------------------------------- choices


def _literal_choices(value: Any, annotation: Any) -> Iterator[Any]:
    choices = typing.get_args(annotation)
    found = _choice(value, [(choice, (choice,)) for choice in choices])
    if found is _NO_CHOICE and isinstance(value, str):
        inner = re.fullmatch(r"(?:Literal|str)\[(.*)\]", value.strip(), re.DOTALL)
        named = inner[1] if inner else value
        found = _choice(named, [(choice, (choice, str(choice))) for choice in choices])
        if found is _NO_CHOICE and bare(named).lower() in _NOTHING and None in choices:
            found = None
    if found is _NO_CHOICE:
        listed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{_shown(value)} is none of {listed}")
    yield found


def _enum_members(value: Any, annotation: Any) -> Iterator[Any]:
    """By value, then by name; then by either in another case, with the class's name before it, or as text."""
    members: list[Any] = list(annotation.__members__.values())
    if isinstance(value, annotation):
        yield value
        return
    found = _choice(value, [(member, (member.value,)) for member in members])
    if found is _NO_CHOICE and isinstance(value, str):
        names = annotation.__members__
        if value.strip() in names:
            found = names[value.strip()]
        else:
            found = _choice(
                re.sub(rf"^\W*{re.escape(annotation.__name__)}\.", "", value),
                [(names[name], (value_text(names[name].value), name)) for name in names],
            )
    if found is not _NO_CHOICE:
        yield found
        return
    if not issubclass(annotation, enum.Flag):
        listed = ", ".join(repr(member.value) for member in members)
        raise ValueError(f"{_shown(value)} is none of {listed}")
    yield _number(value) if isinstance(value, str) else value


_NO_CHOICE: Any = object()


def _choice(value: Any, choices: list[tuple[Any, tuple[Any, ...]]]) -> Any:
    """The one choice of which `value` is a spelling: exactly; or in its bare words; or in another case."""
    for choice, spellings in choices:
        if any(spelling == value and type(spelling) is type(value) for spelling in spellings):
            return choice
    for choice, spellings in choices:
        if any(spelling == value for spelling in spellings):
            return choice
    if not isinstance(value, str):
        return _NO_CHOICE
    for fold in (str.strip, bare, lambda text: bare(text).casefold()):
        wanted = fold(value)
        folded = {
            id(choice): choice
            for choice, spellings in choices
            if any(isinstance(spelling, str) and fold(spelling) == wanted for spelling in spellings)
        }
        if len(folded) == 1:
            return next(iter(folded.values()))
    return _NO_CHOICE


# ---------------------------------------------------------------- unions


def _union_values(value: Any, annotation: Any) -> Iterator[Any]:
    members = typing.get_args(annotation)
    has_text = str in members
    if has_text and type(None) in members:
        yield value
    if isinstance(value, str):
        yield from _exact_or_structured(value, has_text)
    yield value
    if isinstance(value, str) and type(None) in members and not has_text and bare(value).lower() in _NOTHING:
        yield None
    for member in members:
        if member is not type(None) and (member is not str or isinstance(value, (int, float))):
            try:
                yield parse_value(value, member)
            except ValueError:
                continue


def _exact_or_structured(text: str, has_text: bool) -> Iterator[Any]:
    """What a text is as JSON. Where any text is allowed, broken JSON is repaired before it is taken as one."""
    try:
        yield loose_json.strict(text.strip())
    except ValueError:
        if not has_text:
            yield text
            yield text.strip()
        yield from loose_json.candidates(text)


# ---------------------------------------------------------------- mending what is nearly right


def _reshaped(value: Any, annotation: Any) -> Iterator[Any]:
    """One thing where a list is asked for, or a list of one where one thing is."""
    wants_list = _item_type(annotation) is not None
    if wants_list and not isinstance(value, (list, tuple, set, frozenset)) and value not in (None, ""):
        yield [value]
    if not wants_list and isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        yield value[0]


_BULLET = re.compile(r"\s*(?:[-*•]|\d{1,3}[.)])\s+(.*)")


def _listed(text: str, annotation: Any) -> Iterator[Any]:
    """The items of a bulleted or numbered list."""
    lines = [line for line in text.splitlines() if line.strip()]
    bullets = [_BULLET.fullmatch(line) for line in lines]
    if _item_type(annotation) is not None and bullets and all(bullets):
        yield [bullet[1].strip() for bullet in bullets if bullet]


def _item_type(annotation: Any) -> Any:
    """The type of a list's items, for lists, sets and tuples of any length; None for other types."""
    origin = typing.get_origin(annotation)
    args = typing.get_args(annotation)
    if origin is tuple:
        return args[0] if len(args) == 2 and args[1] is Ellipsis else None
    if isinstance(origin, type) and args and issubclass(origin, (list, set, frozenset)):
        return args[0]
    return None


def _mended(candidate: Any, annotation: Any, error: ValueError) -> Any:
    """The candidate with the parts that pydantic complains of read tolerantly, each by its own type."""
    complaints = getattr(error, "errors", None)
    if complaints is None or not isinstance(candidate, (dict, list, tuple)):
        raise ValueError("nothing to mend")
    mended = copy.deepcopy(list(candidate) if isinstance(candidate, tuple) else candidate)
    places = {tuple(problem["loc"]) for problem in complaints(include_url=False, include_context=False)}
    for place in places:
        _mend(mended, annotation, place)
    return mended


def _mend(value: Any, annotation: Any, place: tuple[Any, ...]) -> None:
    """Read the part of `value` at `place` again, by the type that it has there."""
    if not place or not isinstance(value, (dict, list)):
        raise ValueError("nothing to mend")
    key, *rest = place
    inner = _part_type(annotation, key)
    try:
        part: Any = value[key]
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"{key} is missing") from error
    if rest and isinstance(part, (dict, list)):
        _mend(part, inner, tuple(rest))
    else:
        value[key] = parse_value(part, inner)


def _part_type(annotation: Any, key: Any) -> Any:
    """The type of the part `key` of a list, a dict or a record; `ValueError` where it is not plain."""
    from dspx.adapters.record_types import parts_of

    if is_union(annotation):
        members = [member for member in typing.get_args(annotation) if member is not type(None)]
        if len(members) == 1:
            return _part_type(members[0], key)
    args = typing.get_args(annotation)
    if (item := _item_type(annotation)) is not None:
        return item
    if typing.get_origin(annotation) is tuple and isinstance(key, int) and key < len(args):
        return args[key]
    if typing.get_origin(annotation) is dict and len(args) == 2:
        return args[1]
    for part in parts_of(annotation) or ():
        if key in (part.name, part.alias):
            return part.annotation
    raise ValueError(f"no type is known for {key}")
