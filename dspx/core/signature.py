"""What a language model is asked to do: named, typed inputs and outputs, and instructions.

    class QA(dspx.Signature):
        \"\"\"Answer the question in one word.\"\"\"

        question: str = dspx.InputField()
        answer: str = dspx.OutputField(desc="one word")

    dspx.Signature("question, docs: list[str] -> answer: bool", "Answer from the documents.")

A signature is a class, and a value: every edit gives a new one.
"""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from dspx.core.fields import MISSING, Field, InputField, OutputField, from_pydantic, make_field
from dspx.core.fitting import fit_fields
from dspx.core.schema import shapes, type_text
from dspx.core.shorthand import parse_shorthand
from dspx.errors import SignatureError, StateError

if TYPE_CHECKING:
    from typing_extensions import Self, dataclass_transform

    from dspx.core.prediction import Prediction

    _Instance = Prediction
else:
    _Instance = object

    def dataclass_transform(**_):
        return lambda cls: cls


Fields = dict[str, Field]


class Plans(dict[Any, Any]):
    """What adapters compiled for one signature. A copy in another process starts without."""

    def __reduce__(self) -> Any:
        return Plans, ()


_DERIVED_NAME = "StringSignature"


@dataclass_transform(kw_only_default=True, field_specifiers=(InputField, OutputField))
class SignatureMeta(type):
    """Makes a class body into a signature. Everything that can be asked of one is a property here."""

    __dspx_fields__: Fields
    __dspx_inputs__: Fields
    __dspx_outputs__: Fields
    __dspx_instructions__: str
    __plans__: Plans
    """Scratch space for adapters: what they compiled for this signature. It dies with it."""

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any
    ) -> SignatureMeta:
        parents = [base for base in bases if isinstance(base, SignatureMeta)]
        if not parents:
            return cast("SignatureMeta", super().__new__(mcs, name, bases, namespace, **kwargs))
        declared = {key: value for key, value in namespace.items() if _is_field(value)}
        body = {key: value for key, value in namespace.items() if key not in declared}
        cls = cast("SignatureMeta", super().__new__(mcs, name, bases, body, **kwargs))
        inherited: Fields = {}
        for parent in reversed(parents):
            inherited.update(parent.__dspx_fields__)
        fields = {**inherited, **_declared_fields(cls, declared)}
        own_doc = body.get("__doc__")
        instructions = inspect.cleandoc(own_doc) if own_doc else _inherited_instructions(parents)
        _settle(cls, fields, instructions)
        return cls

    if not TYPE_CHECKING:

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            if cls is Signature:
                return make_signature(*args, **kwargs)
            return _instance(cls, args, kwargs)

    # ------------------------------------------------------------ reading

    @property
    def fields(cls) -> Fields:
        """All fields by name, inputs first. Shared: read it, do not change it."""
        return cls.__dspx_fields__

    @property
    def input_fields(cls) -> Fields:
        return cls.__dspx_inputs__

    @property
    def output_fields(cls) -> Fields:
        return cls.__dspx_outputs__

    @property
    def instructions(cls) -> str:
        return cls.__dspx_instructions__

    @instructions.setter
    def instructions(cls, text: str) -> None:
        """Changes this class for everybody who holds it; `with_instructions` gives a new one instead."""
        cls.__dspx_instructions__ = text
        cls.__doc__ = text
        cls.__plans__.clear()

    @property
    def signature(cls) -> str:
        """The names alone: `"question, docs -> answer"`."""
        return f"{', '.join(cls.__dspx_inputs__)} -> {', '.join(cls.__dspx_outputs__)}"

    @property
    def model_fields(cls) -> Fields:
        """The name under which pydantic keeps fields."""
        return cls.__dspx_fields__

    @property
    def shape(cls) -> int:
        """The same number for signatures that differ by instructions only."""
        return id(cls.__dspx_fields__)

    def __repr__(cls) -> str:
        if not cls.__dspx_fields__:
            return f"<class {cls.__module__}.{cls.__name__!s}>"
        lines = [f"{cls.__name__}({cls.signature}", f"    instructions={cls.instructions!r}"]
        lines += [f"    {name} = {field!r}" for name, field in cls.fields.items()]
        return "\n".join([*lines, ")"])


class Signature(_Instance, metaclass=SignatureMeta):
    """Inputs, outputs and instructions of one question to a language model. See the module's page."""

    __dspx_fields__ = __dspx_inputs__ = __dspx_outputs__ = {}
    __dspx_instructions__ = ""
    __plans__ = Plans()

    if TYPE_CHECKING:

        def __init__(
            self,
            signature: str | Mapping[str, Any],
            instructions: str | None = None,
            signature_name: str = "StringSignature",
            custom_types: Mapping[str, Any] | None = None,
        ) -> None: ...

    # ------------------------------------------------------------ editing: each gives a new signature

    @classmethod
    def with_instructions(cls, instructions: str) -> type[Self]:
        return _derive(cls, cls.__dspx_fields__, instructions)

    @classmethod
    def append_instructions(cls, instructions: str) -> type[Self]:
        """The instructions with another paragraph."""
        return _derive(cls, cls.__dspx_fields__, f"{cls.instructions}\n\n{instructions}")

    @classmethod
    def with_updated_fields(cls, name: str, type_: Any = None, **kwargs: Any) -> type[Self]:
        """One field with another type or other arguments. `KeyError` for a name that is not there."""
        fields = dict(cls.__dspx_fields__)
        fields[name] = fields[name].changed(type_, **kwargs)
        return _derive(cls, fields, cls.instructions)

    @classmethod
    def prepend(cls, name: str, field: Any, type_: Any = None) -> type[Self]:
        """The field first among the inputs or the outputs, by its role."""
        return cls.insert(0, name, field, type_)

    @classmethod
    def append(cls, name: str, field: Any, type_: Any = None) -> type[Self]:
        """The field last among the inputs or the outputs, by its role."""
        return cls.insert(-1, name, field, type_)

    @classmethod
    def insert(cls, index: int, name: str, field: Any, type_: Any = None) -> type[Self]:
        """The field at `index` among the inputs or the outputs, by its role; negative counts from the end."""
        added = _as_field(name, field, type_)
        inputs, outputs = list(cls.__dspx_inputs__.items()), list(cls.__dspx_outputs__.items())
        side = inputs if added.role == "input" else outputs
        position = index + len(side) + 1 if index < 0 else index
        if not 0 <= position <= len(side):
            raise SignatureError(
                f"Invalid index to insert: {index}, index must be in the range of [{-len(side) - 1}, {len(side)}] "
                f"for {added.role} fields, but received: {index}."
            )
        side.insert(position, (name, added))
        return _derive(cls, dict(inputs + outputs), cls.instructions)

    @classmethod
    def delete(cls, name: str) -> type[Self]:
        """The signature without this field; the same one where it has no such field."""
        fields = {key: field for key, field in cls.__dspx_fields__.items() if key != name}
        return _derive(cls, fields, cls.instructions)

    # ------------------------------------------------------------ comparing and keeping

    @classmethod
    def equals(cls, other: Any) -> bool:
        """Whether the instructions and what is said of each field are the same."""
        if not isinstance(other, SignatureMeta) or cls.instructions != other.instructions:
            return False
        if list(cls.fields) != list(other.fields):
            return False
        return all(f.json_schema_extra == other.fields[n].json_schema_extra for n, f in cls.fields.items())

    @classmethod
    def dump_state(cls) -> dict[str, Any]:
        fields = cls.__plans__.get("state")
        if fields is None:
            fields = cls.__plans__["state"] = [_dump_field(name, field) for name, field in cls.fields.items()]
        return {"instructions": cls.instructions, "fields": [dict(field) for field in fields]}

    @classmethod
    def load_state(cls, state: Mapping[str, Any]) -> type[Self]:
        """This signature with saved instructions and descriptions. `StateError` where the fields differ."""
        fit = fit_fields(state["fields"], cls.dump_state()["fields"])
        if fit.problems:
            raise StateError(_unlike(cls.__name__, cls.__dspx_fields__, state["fields"], fit.problems))
        fields = {
            name: field.changed(desc=kept["description"], prefix=kept["prefix"])
            for name, kept, field in ((n, fit.by_name[n], f) for n, f in cls.__dspx_fields__.items())
        }
        return _derive(cls, fields, state["instructions"])


def make_signature(
    signature: str | Mapping[str, Any],
    instructions: str | None = None,
    signature_name: str = _DERIVED_NAME,
    custom_types: Mapping[str, Any] | None = None,
) -> type[Signature]:
    """A signature from a string, or from a dict of `name: field` or `name: (type, field)`."""
    if isinstance(signature, str):
        fields = _fields_of_shorthand(signature, custom_types)
    else:
        fields = _fields_of_mapping(signature)
    ordered = _inputs_first(fields)
    return _build(signature_name, ordered, instructions or _default_instructions(ordered))


def ensure_signature(signature: Any, instructions: str | None = None) -> Any:
    """A signature from a string or a class; None stays None."""
    if signature is None:
        return None
    if isinstance(signature, str):
        return make_signature(signature, instructions)
    if instructions is not None:
        raise SignatureError("A signature class has its instructions already; use `with_instructions`.")
    return signature


# ---------------------------------------------------------------- building


def _build(name: str, fields: Fields, instructions: str) -> type[Signature]:
    """A new class straight from its fields: no class body to read."""
    cls = type.__new__(SignatureMeta, name, (Signature,), {"__module__": Signature.__module__})
    _settle(cls, fields, instructions)
    return cast("type[Signature]", cls)


def _derive(cls: Any, fields: Fields, instructions: str) -> Any:
    """An edited copy. Where the fields are those of `cls`, the copy shares their dictionaries."""
    if fields is not cls.__dspx_fields__:
        return _build(_DERIVED_NAME, fields, instructions)
    new = type.__new__(
        SignatureMeta,
        _DERIVED_NAME,
        (Signature,),
        {
            "__module__": Signature.__module__,
            "__doc__": instructions,
            "__dspx_fields__": fields,
            "__dspx_inputs__": cls.__dspx_inputs__,
            "__dspx_outputs__": cls.__dspx_outputs__,
            "__dspx_instructions__": instructions,
            "__plans__": Plans(),
        },
    )
    return new


def _settle(cls: SignatureMeta, fields: Fields, instructions: str) -> None:
    inputs = {name: field for name, field in fields.items() if field.role == "input"}
    outputs = {name: field for name, field in fields.items() if field.role == "output"}
    cls.__dspx_fields__ = {**inputs, **outputs}
    cls.__dspx_inputs__ = inputs
    cls.__dspx_outputs__ = outputs
    cls.__dspx_instructions__ = instructions or (_default_instructions(cls.__dspx_fields__) if fields else "")
    cls.__plans__ = Plans()
    if fields:
        cls.__doc__ = cls.__dspx_instructions__


def _inputs_first(fields: Fields) -> Fields:
    inputs = {name: field for name, field in fields.items() if field.role == "input"}
    return {**inputs, **{name: field for name, field in fields.items() if field.role != "input"}}


def _default_instructions(fields: Fields) -> str:
    inputs = ", ".join(f"`{name}`" for name, field in fields.items() if field.role == "input")
    outputs = ", ".join(f"`{name}`" for name, field in fields.items() if field.role == "output")
    return f"Given the fields {inputs}, produce the fields {outputs}."


def _inherited_instructions(parents: list[SignatureMeta]) -> str:
    """A parent's instructions where somebody wrote them; the default is made anew for the new fields."""
    for parent in parents:
        written = parent.__dspx_instructions__
        if written and written != _default_instructions(parent.__dspx_fields__):
            return written
    return ""


# ---------------------------------------------------------------- reading a class body


def _is_field(value: Any) -> bool:
    if isinstance(value, Field):
        return True
    pydantic_fields = sys.modules.get("pydantic.fields")
    return pydantic_fields is not None and isinstance(value, pydantic_fields.FieldInfo)


def _declared_fields(cls: SignatureMeta, declared: dict[str, Any]) -> Fields:
    annotations = _annotations_of(cls)
    for name in annotations:
        if name not in declared and not _is_class_variable(annotations[name]):
            raise SignatureError(
                f"Field {name!r} of {cls.__name__} must be declared with InputField or OutputField: "
                f"`{name}: … = dspx.InputField()`."
            )
    names = [
        *(name for name in declared if name not in annotations),
        *(n for n in annotations if n in declared),
    ]
    fields: Fields = {}
    for name in sorted(names, key=list(declared).index):
        value = declared[name]
        field = value if isinstance(value, Field) else from_pydantic(value, name)
        fields[name] = field.bound(
            name, annotations.get(name, str), type_undefined=None if name in annotations else True
        )
    return fields


def _annotations_of(cls: type) -> dict[str, Any]:
    """The annotations of the class body, with those that are strings resolved where the class is written."""
    raw = _raw_annotations(cls)
    if not any(isinstance(value, str) for value in raw.values()):
        return {name: _none_type(value) for name, value in raw.items()}
    module = sys.modules.get(cls.__module__)
    frame = sys._getframe(3)  # the class body's surroundings: locals that its annotations may name
    try:
        return typing.get_type_hints(
            _Annotated(raw),
            vars(module) if module else frame.f_globals,
            dict(frame.f_locals),
            include_extras=True,
        )
    except NameError as error:
        raise SignatureError(
            f"A type of {cls.__name__} is not known where the class is written: {error}. "
            "Define or import it before the signature."
        ) from error


def _raw_annotations(cls: type) -> dict[str, Any]:
    """The class body's own annotations, as written."""
    if sys.version_info >= (3, 14):
        import annotationlib

        return dict(annotationlib.get_annotations(cls, format=annotationlib.Format.FORWARDREF))
    return dict(vars(cls).get("__annotations__", {}))


class _Annotated:
    """Something that `typing.get_type_hints` reads annotations from."""

    def __init__(self, annotations: dict[str, Any]) -> None:
        self.__annotations__ = annotations


def _none_type(annotation: Any) -> Any:
    return type(None) if annotation is None else annotation


def _is_class_variable(annotation: Any) -> bool:
    return annotation is typing.ClassVar or typing.get_origin(annotation) is typing.ClassVar


# ---------------------------------------------------------------- other ways to write fields


def _fields_of_shorthand(text: str, custom_types: Mapping[str, Any] | None) -> Fields:
    inputs, outputs = parse_shorthand(text, custom_types)
    fields: Fields = {}
    for name, annotation, typed in inputs:
        fields[name] = make_field("input", {}).bound(name, annotation, type_undefined=not typed)
    for name, annotation, _ in outputs:
        fields[name] = make_field("output", {}).bound(name, annotation)
    return fields


def _fields_of_mapping(mapping: Mapping[str, Any]) -> Fields:
    fields: Fields = {}
    for name, value in mapping.items():
        type_, field = value if isinstance(value, tuple) else (None, value)
        fields[name] = _as_field(name, field, type_)
    return fields


def _as_field(name: str, field: Any, type_: Any) -> Field:
    if not _is_field(field):
        raise SignatureError(
            f"Field {name!r} must be declared with InputField or OutputField, not {field!r}."
        )
    if type_ is None:
        type_ = field.annotation or str
    if isinstance(type_, str) or not _looks_like_a_type(type_):
        raise SignatureError(
            f"Field types must be types, but received: {type_} of type {type(type_)} for the field {name!r}."
        )
    own = field if isinstance(field, Field) else from_pydantic(field, name)
    kept_name = own.json_schema_extra.get("desc") == f"${{{own.name}}}" and own.name != name
    if own.name and kept_name:
        own = own.changed(desc=f"${{{name}}}")
    return own.bound(name, type_)


def _looks_like_a_type(value: Any) -> bool:
    return isinstance(value, type) or typing.get_origin(value) is not None or value is Any or callable(value)


def _dump_field(name: str, field: Field) -> dict[str, Any]:
    dumped = {"name": name, "prefix": field.prefix, "description": field.desc}
    dumped |= {"role": field.role, "type": type_text(field.annotation)}
    parts = shapes(field.annotation)
    return {**dumped, "shapes": parts} if parts else dumped


def _unlike(name: str, fields: Fields, saved: list[dict[str, Any]], problems: Sequence[str]) -> str:
    named = ", ".join(str(kept.get("name") or kept["prefix"].rstrip(":")) for kept in saved)
    return (
        f"The saved {name} has the fields [{named}], but this program's has [{', '.join(fields)}]: "
        f"{'; '.join(problems)}. Load it into the program that it was saved from."
    )


# ---------------------------------------------------------------- instances


def _instance(cls: SignatureMeta, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """One filled-in signature: its fields as attributes. Unknown names are refused, missing ones take defaults."""
    unknown = [name for name in kwargs if name not in cls.__dspx_fields__]
    if args or unknown:
        wrong = f"unknown fields {unknown}" if unknown else "positional values"
        raise SignatureError(f"{cls.__name__}(…) got {wrong}; its fields are {list(cls.__dspx_fields__)}.")
    self = object.__new__(cast("type", cls))
    for name, field in cls.__dspx_fields__.items():
        value = kwargs.get(name, MISSING)
        if value is not MISSING or field.has_default:
            setattr(self, name, field.get_default() if value is MISSING else value)
    return self
