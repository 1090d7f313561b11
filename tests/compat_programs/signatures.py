"""Portable programs: signatures of all kinds, as strings and as classes."""

import datetime
import enum
from typing import Annotated, Any, Literal, Optional, Union

import pydantic

from tests.compat_programs.observing import chat, program, scripted, without_names


class Color(enum.Enum):
    RED = "red"
    DARK_BLUE = "dark blue"


class Person(pydantic.BaseModel):
    name: str
    age: int = pydantic.Field(ge=0, description="in years")
    born: datetime.date | None = None


class Team(pydantic.BaseModel):
    lead: Person
    members: list[Person] = []


def _shape(signature):
    return {
        "name": signature.__name__,
        "instructions": signature.instructions,
        "signature": signature.signature,
        "fields": {name: [str(field.annotation), _facts(field)] for name, field in signature.fields.items()},
    }


def _facts(field):
    return {key: value for key, value in field.json_schema_extra.items() if key != "IS_TYPE_UNDEFINED"}


@program
def string_signatures(dspy, notes):
    for text in (
        "question -> answer",
        "question: str, context: list[str] -> answer: bool, score: float",
        "a: dict[str, int], b: Optional[str] -> c: Literal['x', 'y'], d: tuple[int, str]",
        "q -> a: Union[int, str]",
        "q: list[dict[str, list[int]]] -> a: str | None",
        "longFieldName, another_one, some2thing -> HTTPAnswer",
    ):
        notes(text, _shape(dspy.Signature(text)))
    notes("with instructions", _shape(dspy.Signature("q -> a", "Say it briefly.")))
    notes("equal", dspy.Signature("q -> a").equals(dspy.Signature("q -> a")))
    notes("unequal", dspy.Signature("q -> a").equals(dspy.Signature("q -> b")))
    notes("unequal types", dspy.Signature("q -> a").equals(dspy.Signature("q -> a: int")))
    for wrong in ("question", "a -> b -> c", "a, b", "-> b", "a ->", ""):
        notes.raises(f"wrong: {wrong}", lambda wrong=wrong: dspy.Signature(wrong).signature)


@program
def class_signatures(dspy, notes):
    class Triage(dspy.Signature):
        """Sort the ticket.

        Be strict: refunds are never urgent.
        """

        ticket: str = dspy.InputField(desc="what the customer wrote")
        history: list[str] = dspy.InputField(default_factory=list)
        tone: Color = dspy.OutputField()
        urgency: Literal["low", "high"] = dspy.OutputField(desc="how fast to answer")
        people: list[Person] = dspy.OutputField(prefix="Who:")
        confidence: float = dspy.OutputField(ge=0, le=1)
        note: Optional[str] = dspy.OutputField(description="anything else")  # noqa: UP045

    notes("triage", _shape(Triage))
    notes("inputs", list(Triage.input_fields))
    notes("outputs", list(Triage.output_fields))

    class Plain(dspy.Signature):
        question = dspy.InputField()
        answer = dspy.OutputField()

    notes("no doc, no types", _shape(Plain))

    class Sub(Triage):
        """Another text."""

        extra: str = dspy.OutputField()

    notes("inherited", _shape(Sub))
    notes("inherited without a docstring", type("Quiet", (Triage,), {}).instructions)
    notes.raises(
        "bad marker", lambda: type("Bad", (dspy.Signature,), {"__annotations__": {"a": str}}).signature
    )


@program
def signature_edits(dspy, notes):
    base = dspy.Signature("question, context -> answer", "Answer it.")
    notes("prepend", _shape(base.prepend("hint", dspy.InputField(desc="a hint"), list[str])))
    notes("append", _shape(base.append("score", dspy.OutputField(), float)))
    notes("insert", _shape(base.insert(1, "middle", dspy.InputField())))
    notes("insert at -1", _shape(base.insert(-1, "late", dspy.OutputField(), int)))
    notes("delete", _shape(base.delete("context")))
    notes("delete missing", _shape(base.delete("nothing")))
    notes("updated", _shape(base.with_updated_fields("answer", type_=bool, desc="yes or no")))
    notes("with instructions", _shape(base.with_instructions("Other.")))
    notes("untouched", _shape(base))
    notes("dump", without_names(base.dump_state()))
    notes("instance of class", issubclass(base, dspy.Signature))
    notes.raises("insert out of range", lambda: base.insert(9, "x", dspy.InputField()).signature)
    notes(
        "make_signature",
        _shape(dspy.make_signature({"a": (int, dspy.InputField()), "b": (str, dspy.OutputField())})),
    )
    notes("ensure string", _shape(dspy.ensure_signature("a -> b", "Do.")))
    notes("ensure none", dspy.ensure_signature(None))
    notes.raises("ensure with both", lambda: dspy.ensure_signature(base, "again"))
    notes(
        "custom types",
        _shape(dspy.Signature("team: Team -> lead: Person", custom_types={"Team": Team, "Person": Person})),
    )
    notes(
        "prefixes",
        [dspy.infer_prefix(name) for name in ("someAttributeName", "a1b2", "HTTPServer", "x_y", "_z")],
    )


@program
def types_in_and_out(dspy, notes):
    class Everything(dspy.Signature):
        """Use each type once."""

        text: str = dspy.InputField()
        number: int = dspy.InputField()
        flag: bool = dspy.InputField()
        when: datetime.date = dspy.InputField()
        color: Color = dspy.InputField()
        team: Team = dspy.InputField()
        pairs: dict[str, list[int]] = dspy.InputField()
        maybe: str | None = dspy.InputField()
        anything: Any = dspy.InputField()
        best: Person = dspy.OutputField()
        colors: list[Color] = dspy.OutputField()
        kind: Literal["a", "b"] = dspy.OutputField()
        count: int | None = dspy.OutputField()
        ratio: Annotated[float, pydantic.Field(gt=0)] = dspy.OutputField()
        day: datetime.date = dspy.OutputField()
        table: dict[str, int] = dspy.OutputField()
        either: Union[int, str] = dspy.OutputField()  # noqa: UP007
        couple: tuple[int, str] = dspy.OutputField()

    lm = scripted(
        dspy,
        [
            chat(
                best='{"name": "Ann", "age": 3}',
                colors='["red", "dark blue"]',
                kind="a",
                count="null",
                ratio="0.5",
                day="2024-05-06",
                table='{"x": 1}',
                either="12",
                couple='[1, "z"]',
            )
        ],
    )
    with dspy.context(lm=lm, adapter=dspy.ChatAdapter()):
        out = dspy.Predict(Everything)(
            text="hi",
            number=4,
            flag=True,
            when=datetime.date(2024, 1, 2),
            color=Color.RED,
            team=Team(lead=Person(name="Bo", age=9), members=[Person(name="Cy", age=1)]),
            pairs={"a": [1, 2]},
            maybe=None,
            anything={"k": [1, None]},
        )
    notes("prediction", out)
    notes("prompt", lm.prompts())
    with dspy.context(lm=scripted(dspy, ["{}"]), adapter=dspy.JSONAdapter()):
        notes("json prompt", dspy.JSONAdapter().format(Everything, [], {"text": "hi", "number": 1}))
    notes("xml prompt", dspy.XMLAdapter().format(Everything, [], {"text": "hi", "number": 1}))


@program
def numbers_and_booleans_as_models_write_them(dspy, notes):
    for kind, texts in {
        "bool": ["True", "true", "False", "yes", " TRUE ", "1"],
        "int": ["12", " 12 ", "12.0", "1,200", "twelve"],
        "float": ["1.5", "3", "1e3", "50%"],
        "list[str]": ['["a"]', "a, b", "['a', 'b']", '```json\n["a"]\n```'],
        "Literal['yes', 'no']": ["yes", "'yes'", '"no"', "Yes", "maybe", " no."],
        "Optional[int]": ["3", "null", "None", ""],
        "dict[str, int]": ['{"a": 1}', "{'a': 1}", '{"a": "1"}'],
    }.items():
        predict = dspy.Predict(f"q -> a: {kind}")
        for text in texts:
            lm = scripted(dspy, [chat(a=text)])
            with dspy.context(lm=lm, adapter=dspy.ChatAdapter(use_json_adapter_fallback=False)):
                notes.raises(f"{kind} from {text!r}", lambda predict=predict: predict(q="?").a)
