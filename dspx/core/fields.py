"""One field of a signature: its name, its type, its role, and what is said of it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal

from dspx.errors import SignatureError

Role = Literal["input", "output"]


class _Missing:
    """The absence of a default."""

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False

    def __copy__(self) -> _Missing:
        return self

    def __deepcopy__(self, memo: Any) -> _Missing:
        return self


MISSING: Any = _Missing()

# pydantic's constraint → the words that a prompt uses for it
_CONSTRAINT_WORDS = {
    "gt": "greater than: ",
    "ge": "greater than or equal to: ",
    "lt": "less than: ",
    "le": "less than or equal to: ",
    "min_length": "minimum length: ",
    "max_length": "maximum length: ",
    "multiple_of": "a multiple of the given number: ",
    "allow_inf_nan": "allow 'inf', '-inf', 'nan' values: ",
}
_OWN_KEYS = ("desc", "prefix", "format", "parser", "__dspy_field_type", "IS_TYPE_UNDEFINED")
_WITHOUT_EFFECT = ("prefix", "format", "parser")


class Field:
    """A field. Treat it as immutable: `changed` gives an edited copy.

    Reads like pydantic's `FieldInfo` where DSPy programs look: `annotation`, `json_schema_extra`,
    `default`, `default_factory`, `description`, `metadata`, `is_required()`, `get_default()`.
    """

    __slots__ = (
        "_validator",
        "annotation",
        "default",
        "default_factory",
        "json_schema_extra",
        "metadata",
        "name",
        "options",
        "role",
    )

    def __init__(
        self,
        name: str = "",
        annotation: Any = str,
        role: Role | None = None,
        *,
        default: Any = MISSING,
        default_factory: Callable[[], Any] | None = None,
        json_schema_extra: dict[str, Any] | None = None,
        metadata: tuple[Any, ...] = (),
        options: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.annotation = annotation
        self.role: Role | None = role
        self.default = default
        self.default_factory = default_factory
        self.json_schema_extra: dict[str, Any] = json_schema_extra or {}
        self.metadata = metadata
        """What `Annotated[...]` carried beside the type: pydantic constraints, validators."""
        self.options: dict[str, Any] = options or {}
        """Arguments that pydantic's own `Field` takes: constraints, title, examples, …"""
        self._validator: Any = None

    # ------------------------------------------------------------ reading

    @property
    def desc(self) -> str:
        return self.json_schema_extra.get("desc", f"${{{self.name}}}")

    @property
    def description_text(self) -> str:
        """The description for a prompt: nothing where nobody wrote one."""
        desc = self.desc
        return "" if desc == f"${{{self.name}}}" else desc

    @property
    def description(self) -> str | None:
        return self.options.get("description")

    @property
    def prefix(self) -> str:
        return self.json_schema_extra.get("prefix") or infer_prefix(self.name) + ":"

    @property
    def constraints(self) -> str | None:
        return self.json_schema_extra.get("constraints")

    @property
    def is_type_undefined(self) -> bool:
        return bool(self.json_schema_extra.get("IS_TYPE_UNDEFINED"))

    @property
    def has_default(self) -> bool:
        return self.default is not MISSING or self.default_factory is not None

    def is_required(self) -> bool:
        return not self.has_default

    def get_default(self, *, call_default_factory: bool = True) -> Any:
        """The default, or None where there is none."""
        if self.default_factory is not None:
            return self.default_factory() if call_default_factory else None
        return None if self.default is MISSING else self.default

    @property
    def validator(self) -> Any:
        """A pydantic `TypeAdapter` of the type and its constraints, built on first use and shared."""
        if self._validator is None:
            self._validator = _validator_for(self.annotation, self.metadata, self._constraint_options())
        return self._validator

    def _constraint_options(self) -> tuple[tuple[str, Any], ...]:
        kept = (*_CONSTRAINT_WORDS, "pattern", "strict", "discriminator", "max_digits", "decimal_places")
        return tuple((key, self.options[key]) for key in kept if self.options.get(key) is not None)

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__ if name != "_validator"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._validator = None
        for name, value in state.items():
            setattr(self, name, value)

    # ------------------------------------------------------------ editing

    def bound(self, name: str, annotation: Any, *, type_undefined: bool | None = None) -> Field:
        """This field under a name and a type, with the defaults that follow from them."""
        annotation, metadata = _split_annotated(annotation)
        extra = dict(self.json_schema_extra)
        if type_undefined is not None and self.role == "input":
            extra.setdefault("IS_TYPE_UNDEFINED", type_undefined)
        extra.setdefault("__dspy_field_type", self.role)
        extra.setdefault("prefix", infer_prefix(name) + ":")
        extra.setdefault("desc", f"${{{name}}}")
        return Field(
            name,
            annotation,
            self.role,
            default=self.default,
            default_factory=self.default_factory,
            json_schema_extra=extra,
            metadata=metadata or self.metadata,
            options=self.options,
        )

    def changed(self, annotation: Any = None, **kwargs: Any) -> Field:
        """A copy with another type, or with any argument of `InputField`/`OutputField` replaced."""
        edit = make_field(self.role or "input", kwargs, warn=False)
        extra = {**self.json_schema_extra, **edit.json_schema_extra}
        typed, metadata = (
            (self.annotation, self.metadata) if annotation is None else _split_annotated(annotation)
        )
        keeps_default = edit.default is MISSING and edit.default_factory is None
        return Field(
            self.name,
            typed,
            self.role,
            default=self.default if keeps_default else edit.default,
            default_factory=self.default_factory if keeps_default else edit.default_factory,
            json_schema_extra=extra,
            metadata=metadata,
            options={**self.options, **edit.options},
        )

    def __repr__(self) -> str:
        parts = [f"annotation={_type_name(self.annotation)}", f"required={self.is_required()}"]
        if self.default is not MISSING:
            parts.append(f"default={self.default!r}")
        return f"Field({' '.join(parts)} json_schema_extra={self.json_schema_extra!r})"


def InputField(**kwargs: Any) -> Any:
    """Declare an input: `question: str = dspx.InputField(desc="…")`.

    `desc` goes into the prompt; `default`, `default_factory` and pydantic's constraints (`gt`, `ge`, `lt`,
    `le`, `min_length`, `max_length`, `multiple_of`, `pattern`, …) mean what they mean in pydantic.
    """
    return make_field("input", kwargs)


def OutputField(*, init: Literal[False] = False, **kwargs: Any) -> Any:
    """Declare an output: `answer: str = dspx.OutputField(desc="…")`. Arguments as for `InputField`.

    `init` tells type checkers that a call takes no such argument; leave it alone.
    """
    return make_field("output", kwargs)


def make_field(role: Role, kwargs: dict[str, Any], *, warn: bool = True) -> Field:
    """A field that has no name yet, from the arguments of `InputField` or `OutputField`."""
    options = dict(kwargs)
    extra = dict(options.pop("json_schema_extra", None) or {})
    default = options.pop("default", MISSING)
    if default is Ellipsis:
        default = MISSING
    default_factory = options.pop("default_factory", None)
    for key in _OWN_KEYS:
        if key in options:
            if warn and key in _WITHOUT_EFFECT:
                warnings.warn(
                    f"{key}= has no effect on prompts; leave it out.", DeprecationWarning, stacklevel=4
                )
            extra[key] = options.pop(key)
    extra["__dspy_field_type"] = role
    if "desc" not in extra and options.get("description") is not None:
        extra["desc"] = options["description"]
    constraints = ", ".join(
        f"{words}{options[key]}" for key, words in _CONSTRAINT_WORDS.items() if options.get(key) is not None
    )
    if constraints:
        extra["constraints"] = constraints
    return Field(
        "",
        str,
        role,
        default=default,
        default_factory=default_factory,
        json_schema_extra=extra,
        options=options,
    )


def from_pydantic(info: Any, name: str) -> Field:
    """A field from pydantic's own `Field(...)`, whose `json_schema_extra` must say which role it has."""
    extra = dict(info.json_schema_extra or {})
    role = extra.get("__dspy_field_type")
    if role not in ("input", "output"):
        raise SignatureError(f"Field {name!r} must be declared with InputField or OutputField.")
    kwargs: dict[str, Any] = {"json_schema_extra": extra}
    if not info.is_required():
        kwargs.update(
            {"default_factory": info.default_factory} if info.default_factory else {"default": info.default}
        )
    if info.description is not None:
        kwargs["description"] = info.description
    for item in info.metadata:
        kwargs.update({key: getattr(item, key) for key in _CONSTRAINT_WORDS if hasattr(item, key)})
    return make_field(role, kwargs, warn=False)


_WORD_BREAKS = (
    (re.compile(r"(.)([A-Z][a-z]+)"), r"\1_\2"),  # HTMLParser → HTML_Parser
    (re.compile(r"([a-z0-9])([A-Z])"), r"\1_\2"),  # camelCase → camel_Case
    (re.compile(r"([a-zA-Z])(\d)"), r"\1_\2"),  # v2 → v_2
    (re.compile(r"(\d)([a-zA-Z])"), r"\1_\2"),  # 2x → 2_x
)


@lru_cache(maxsize=4096)
def infer_prefix(attribute_name: str) -> str:
    """The label of a field, from its name: `camelCaseText` → `Camel Case Text`, `HTMLParser` → `HTML Parser`."""
    spaced = attribute_name
    for pattern, replacement in _WORD_BREAKS:
        spaced = pattern.sub(replacement, spaced)
    return " ".join(word if word.isupper() else word.capitalize() for word in spaced.split("_"))


def _split_annotated(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """`Annotated[T, x]` → `(T, (x,))`; anything else with nothing beside it."""
    metadata = getattr(annotation, "__metadata__", None)
    if metadata is None:
        return annotation, ()
    return annotation.__origin__, tuple(metadata)


def _validator_for(annotation: Any, metadata: tuple[Any, ...], options: tuple[tuple[str, Any], ...]) -> Any:
    try:
        # The text too: Union[int, str] equals Union[str, int], but does not read like it.
        return _shared_validator(annotation, metadata, options, repr(annotation))
    except TypeError:  # something unhashable in it
        return _build_validator(annotation, metadata, options)


@lru_cache(maxsize=2048)
def _shared_validator(
    annotation: Any, metadata: tuple[Any, ...], options: tuple[tuple[str, Any], ...]
) -> Any:
    return _build_validator(annotation, metadata, options)


def _build_validator(annotation: Any, metadata: tuple[Any, ...], options: tuple[tuple[str, Any], ...]) -> Any:
    from typing import Annotated

    import pydantic

    extras = [*metadata]
    if options:
        extras.append(pydantic.Field(**dict(options)))
    typed: Any = annotation
    for extra in extras:
        typed = Annotated[typed, extra]
    config = pydantic.ConfigDict(arbitrary_types_allowed=True)
    try:
        return pydantic.TypeAdapter(typed, config=config)
    except pydantic.PydanticUserError:  # types that carry their own configuration refuse a second one
        return pydantic.TypeAdapter(typed)


def _type_name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else repr(annotation)
