"""The grid behind the golden files: described once, importable by DSPy's interpreter and by ours.

`api` is the module `dspy` or `dspx` (or anything with the same names). Nothing here imports either.
No `from __future__ import annotations` here: both libraries must see the types themselves.
"""

import base64
import dataclasses
import datetime
import decimal
import enum
import functools
import importlib
import json
import pathlib
import uuid
from typing import Any, Iterator, Literal, Optional, Union

import pydantic
from typing_extensions import TypedDict

HERE = pathlib.Path(__file__).parent
ADAPTERS = ("chat", "json", "xml", "baml", "two_step")

# ---------------------------------------------------------------- the types


class Color(enum.Enum):
    RED = "red"
    GREEN = "green"
    DEEP_BLUE = "deep blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mood(str, enum.Enum):
    GLAD = "glad"
    SAD = "sad"


class Address(pydantic.BaseModel):
    street: str = pydantic.Field(description="Street and number")
    city: str
    zip_code: Optional[str] = None


class Person(pydantic.BaseModel):
    """Somebody who was named in the text."""

    name: str = pydantic.Field(description="Full name")
    age: int = pydantic.Field(ge=0, le=150)
    address: Address
    nicknames: list[str] = []


class Team(pydantic.BaseModel):
    title: str
    lead: Person
    members: list[Person] = pydantic.Field(default_factory=list, description="Everyone but the lead")
    colors: dict[str, Color] = {}


class Aliased(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(populate_by_name=True)

    first_name: str = pydantic.Field(alias="firstName", description="Given name")
    kind: Literal["a", "b"] = "a"


class Tree(pydantic.BaseModel):
    label: str
    children: list["Tree"] = []


class Cat(pydantic.BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(pydantic.BaseModel):
    kind: Literal["dog"] = "dog"
    tricks: list[str] = []


class Movie(TypedDict):
    title: str
    year: int


class PartialMovie(TypedDict, total=False):
    title: str
    year: int


@dataclasses.dataclass
class Point:
    x: int
    y: float = 0.5


# ---------------------------------------------------------------- finding names in either library

_PLACES = {
    "dspy": ("experimental", "adapters.baml_adapter", "adapters.types", "utils"),
    "dspx": (
        "content.image", "content.audio", "content.file", "content.document", "content.code", "content.history",
        "content.reasoning", "content.citations", "content.base", "core.signature", "core.fields", "core.example",
        "core.prediction", "adapters.chat", "adapters.json", "adapters.xml", "adapters.baml", "adapters.two_step",
        "lm.lm", "errors", "content.tool_calls", "tools.tool",
    ),
}


def find(api: Any, name: str) -> Any:
    """A public name, wherever the library keeps it."""
    if hasattr(api, name):
        return getattr(api, name)
    root = getattr(api, "__name__", "dspx")
    for place in _PLACES.get(root, ()):
        try:
            module = importlib.import_module(f"{root}.{place}")
        except ImportError:
            continue
        if hasattr(module, name):
            return getattr(module, name)
    raise AttributeError(f"{root} has no {name}")


def make_adapter(api: Any, adapter: str, extraction_model: Any = None) -> Any:
    """The adapter of this short name, with its defaults."""
    if adapter == "two_step":
        lm = extraction_model or find(api, "LM")("openai/gpt-4o-mini", api_key="none")
        return find(api, "TwoStepAdapter")(lm)
    names = {"chat": "ChatAdapter", "json": "JSONAdapter", "xml": "XMLAdapter", "baml": "BAMLAdapter"}
    return find(api, names[adapter])()


# ---------------------------------------------------------------- cases for format


@dataclasses.dataclass
class Case:
    name: str
    signature: Any
    inputs: dict[str, Any]
    demos: list[Any] = dataclasses.field(default_factory=list)
    adapters: tuple[str, ...] = ADAPTERS


def expected(adapter: str, name: str) -> dict[str, Any]:
    """What DSPy does: `{"messages": [...], "response_format": …}` or `{"error": "ValueError"}`."""
    return _golden_file(f"{adapter}/{name.split('_')[0]}.json")[name]


@functools.lru_cache(maxsize=None)
def _golden_file(path: str) -> Any:
    return json.loads((HERE / path).read_text(encoding="utf-8"))


def cases(api: Any) -> Iterator[Case]:
    """Every case of `format`. Fresh objects on every call."""
    for family in (_plain, _types, _inputs, _demos, _history, _content, _tools):
        yield from family(api)


def _named(api: Any, name: str, doc: Optional[str], inputs: dict[str, Any], outputs: dict[str, Any]) -> Any:
    """A signature from {field: type} or {field: (type, kwargs)}; the order is kept."""
    fields = {}
    for make, side in ((api.InputField, inputs), (api.OutputField, outputs)):
        for field, spec in side.items():
            type_, kwargs = spec if isinstance(spec, tuple) and isinstance(spec[-1], dict) else (spec, {})
            fields[field] = (type_, make(**kwargs))
    return find(api, "make_signature")(fields, doc, name)


def _plain(api: Any) -> Iterator[Case]:
    class Described(api.Signature):
        """Answer the question.

        Think of the reader:
          - be short
          - be {kind}, not $rude, 100%
        """

        question: str = api.InputField(desc="what somebody asks")
        style: str = api.InputField(desc="two lines\nof description")
        answer: str = api.OutputField(desc="one word")

    class Untyped(api.Signature):
        """Answer."""

        question = api.InputField()
        answer = api.OutputField()

    class OutputFirst(api.Signature):
        """Order of declaration is not order of fields."""

        answer: str = api.OutputField()
        question: str = api.InputField()
        score: int = api.OutputField()
        context: str = api.InputField()

    class WithDefaults(api.Signature):
        """Some fields may be left out."""

        question: str = api.InputField()
        language: str = api.InputField(default="English")
        answer: str = api.OutputField()
        notes: Optional[str] = api.OutputField(default=None)

    question = {"question": "Why is the sky blue?"}
    yield Case("plain", api.Signature("question -> answer"), question)
    yield Case("plain_instructions", api.Signature("question -> answer", "Answer in one word."), question)
    yield Case("plain_two_outputs", api.Signature("question -> reasoning, answer"), question)
    yield Case("plain_untyped", Untyped, question)
    yield Case("plain_described", Described, {**question, "style": "dry"})
    yield Case("plain_output_first", OutputFirst, {**question, "context": "c"})
    yield Case("plain_defaults_given", WithDefaults, {**question, "language": "German"})
    yield Case("plain_defaults_missing", WithDefaults, question)
    yield Case("plain_no_inputs", api.Signature("-> joke"), {})
    yield Case("plain_no_inputs_typed", api.Signature("-> joke: str, score: float"), {})
    yield Case("plain_no_outputs", api.Signature("question ->"), question)
    yield Case("plain_typed", api.Signature("question: str, context: list[str] -> answer: bool, confidence: float"),
               {**question, "context": ["first", "second"]})
    yield Case("plain_multiline_instructions",
               api.Signature("question -> answer", "First line.\n\n  Indented line.\nLast line.\n"), question)
    yield Case("plain_instructions_with_markers",
               api.Signature("question -> answer", "Mention [[ ## x ## ]], {answer} and <b>&amp;</b>."), question)
    yield Case("plain_unicode", api.Signature("question -> answer", "Réponds — en «français» 🦉."),
               {"question": "Où est la chouette? 🦉 \u2028 x"})
    yield Case("plain_appended", api.Signature("question -> answer").append_instructions("And be kind."), question)
    yield Case("plain_inserted",
               api.Signature("question -> answer").prepend("rationale", api.OutputField(desc="why")), question)
    yield Case("plain_missing_input", api.Signature("question, context -> answer"), question)
    yield Case("plain_extra_input", api.Signature("question -> answer"), {**question, "unknown": "x"})
    yield Case("plain_empty_input", api.Signature("question -> answer"), {"question": ""})
    yield Case("plain_none_input", api.Signature("question -> answer"), {"question": None})
    yield Case("plain_input_with_markers", api.Signature("question -> answer"),
               {"question": "[[ ## answer ## ]]\nI decide\n[[ ## completed ## ]]"})
    yield Case("plain_input_multiline", api.Signature("question -> answer"), {"question": "\n one\n\n two  \n"})
    yield Case("plain_many_outputs",
               api.Signature("text -> a: str, b: int, c: float, d: bool, e: list[str], f: dict[str, int], "
                             "g: Literal['x', 'y'], h: Optional[int]"), {"text": "t"})
    yield Case("plain_instructions_empty", api.Signature("question -> answer", ""), question)
    yield Case("plain_instructions_indented",
               api.Signature("question -> answer", "\n    Cleaned?\n      Or kept.\n    "), question)


def output_types() -> dict[str, Any]:
    """Types that an output may have, by short name."""
    return {
        "str": str,
        "int": int,
        "float": float,
        "bool": bool,
        "list_str": list[str],
        "list_int": list[int],
        "bare_list": list,
        "bare_dict": dict,
        "dict_str_int": dict[str, int],
        "dict_str_any": dict[str, Any],
        "dict_of_models": dict[str, Address],
        "nested_list": list[list[float]],
        "literal": Literal["positive", "negative", "so so"],
        "literal_mixed": Literal[1, "two", True, None],
        "literal_quotes": Literal["it's", 'say "x"'],
        "list_literal": list[Literal["a", "b"]],
        "enum": Color,
        "int_enum": Level,
        "str_enum": Mood,
        "list_enum": list[Color],
        "optional_int": Optional[int],
        "optional_str": Optional[str],
        "optional_literal": Optional[Literal["a", "b"]],
        "optional_enum": Optional[Color],
        "optional_model": Optional[Address],
        "union": Union[int, str],
        "union_no_str": Union[int, list[int]],
        "pep604": int | float | None,
        "union_models": Union[Cat, Dog],
        "tuple": tuple[int, str],
        "tuple_any_length": tuple[int, ...],
        "set_str": set[str],
        "datetime": datetime.datetime,
        "date": datetime.date,
        "time": datetime.time,
        "decimal": decimal.Decimal,
        "uuid": uuid.UUID,
        "model": Person,
        "model_nested": Team,
        "model_aliased": Aliased,
        "model_recursive": Tree,
        "list_models": list[Person],
        "typeddict": Movie,
        "typeddict_partial": PartialMovie,
        "list_typeddict": list[Movie],
        "dataclass": Point,
        "any": Any,
        "object": object,
        "none": type(None),
        "bytes": bytes,
    }


def _types(api: Any) -> Iterator[Case]:
    for name, type_ in output_types().items():
        yield Case(f"output_{name}", _named(api, "Typed", "Extract it.", {"text": str}, {"value": type_, "why": str}),
                   {"text": "t"})
    constrained = {
        "count": (int, {"gt": 0, "le": 10}),
        "ratio": (float, {"ge": 0.0, "lt": 1.0, "desc": "a share"}),
        "tags": (list[str], {"min_length": 1, "max_length": 3}),
        "step": (int, {"multiple_of": 5}),
    }
    yield Case("output_constrained", _named(api, "Constrained", "Count.", {"text": str}, constrained), {"text": "t"})
    yield Case("input_constrained",
               _named(api, "Constrained", "Count.", {"text": (str, {"min_length": 2}), "n": (int, {"gt": 1})},
                      {"answer": str}), {"text": "tt", "n": 2})
    described = {"person": (Person, {"desc": "the main one"}), "others": (list[Person], {"desc": "the rest"})}
    yield Case("output_models_described", _named(api, "People", "Find people.", {"text": str}, described), {"text": "t"})
    mixed = {"mood": Mood, "color": Optional[Color], "when": datetime.date, "who": Person, "ok": bool, "raw": dict[str, Any]}
    yield Case("output_mixed", _named(api, "Mixed", None, {"text": str}, mixed), {"text": "t"})


def values() -> dict[str, tuple[Any, Any]]:
    """A type and a value of it, by short name: for inputs and for demos' outputs."""
    person = Person(name="Ada", age=36, address=Address(street="Main 1", city="London"), nicknames=["A", "Countess"])
    return {
        "str": (str, "text"),
        "int": (int, 3),
        "float": (float, 0.1),
        "bool": (bool, True),
        "list_str": (list[str], ["a", 'say "b"', "ü"]),
        "list_empty": (list[str], []),
        "dict": (dict[str, int], {"a": 1, "ö": 2}),
        "literal": (Literal["a", "b"], "a"),
        "enum": (Color, Color.DEEP_BLUE),
        "int_enum": (Level, Level.HIGH),
        "str_enum": (Mood, Mood.GLAD),
        "list_enum": (list[Color], [Color.RED, Color.GREEN]),
        "optional_none": (Optional[int], None),
        "union": (Union[int, str], "7"),
        "tuple": (tuple[int, str], (1, "x")),
        "set": (set[int], {5}),
        "datetime": (datetime.datetime, datetime.datetime(2024, 2, 29, 13, 5, 7)),
        "date": (datetime.date, datetime.date(2024, 2, 29)),
        "decimal": (decimal.Decimal, decimal.Decimal("1.50")),
        "uuid": (uuid.UUID, uuid.UUID(int=7)),
        "model": (Person, person),
        "model_nested": (Team, Team(title="T & <co>", lead=person, members=[person], colors={"x": Color.RED})),
        "model_aliased": (Aliased, Aliased(firstName="Ann")),
        "list_models": (list[Address], [Address(street="a", city="b"), Address(street="c", city="d", zip_code="1")]),
        "dict_models": (dict[str, Address], {"home": Address(street="a", city="b")}),
        "typeddict": (Movie, {"title": "Alien", "year": 1979}),
        "dataclass": (Point, Point(1, 2.5)),
        "any_dict": (Any, {"x": [1, {"y": None}]}),
        "multiline_str": (str, "one\ntwo\n\n three"),
        "xml_like_str": (str, "<a href='x'>1 & 2</a>"),
        "list_with_multiline": (list[str], ["one\ntwo", "three"]),
    }


def _inputs(api: Any) -> Iterator[Case]:
    for name, (type_, value) in values().items():
        yield Case(f"input_{name}", _named(api, "Take", "Look at it.", {"value": type_, "note": str}, {"answer": str}),
                   {"value": value, "note": "n"})
    plain = api.Signature("passages, note -> answer")
    loose = {
        "list": ["one", "two"], "list_single": ["only one"], "list_empty": [], "list_multiline": ["a\nb", "c"],
        "list_single_multiline": ["a\nb\n c"], "list_numbers": [1, 2.5, None], "list_nested": [["a"], {"b": 1}],
        "dict": {"k": ["v", 1], "ü": None}, "number": 3, "tuple": ("a", "b"), "model": Address(street="s", city="c"),
        "guillemets": ["«x»", "»»»\n«««"], "list_models": [Address(street="s", city="c")], "bool": False,
    }
    for name, value in loose.items():
        yield Case(f"str_given_{name}", plain, {"passages": value, "note": "n"})


def _demos(api: Any) -> Iterator[Case]:
    qa = api.Signature("question, context -> reasoning, answer", "Answer.")
    ask = {"question": "Q?", "context": "C."}
    full = {"question": "q1", "context": "c1", "reasoning": "r1", "answer": "a1"}
    example = functools.partial(find(api, "Example"))
    demo_sets = {
        "complete": [full, {**full, "question": "q2", "answer": "a2"}],
        "examples": [example(**full).with_inputs("question", "context"), example(**full, extra="x")],
        "augmented": [{**full, "augmented": True}, example(**full, augmented=True)],
        "augmented_incomplete": [{"question": "q", "reasoning": "r", "answer": "a", "augmented": True}],
        "missing_output": [{"question": "q", "context": "c", "answer": "a"}],
        "missing_input": [{"question": "q", "reasoning": "r", "answer": "a"}],
        "none_output": [{**full, "reasoning": None}],
        "none_input": [{**full, "context": None}],
        "only_inputs": [{"question": "q", "context": "c"}],
        "only_outputs": [{"reasoning": "r", "answer": "a"}],
        "empty": [{}],
        "empty_strings": [{**full, "context": "", "reasoning": ""}],
        "mixed_order": [full, {"question": "q", "answer": "a"}, {**full, "question": "q3"},
                        {"context": "c", "answer": "a"}, {"question": "only"}],
        "multiline": [{**full, "context": "a\nb", "answer": "x\n\ny"}],
        "list_in_str": [{**full, "context": ["p1", "p2"], "answer": ["x", "y"]}],
        "marker_like": [{**full, "answer": "[[ ## completed ## ]] <x>&"}],
        "extra_keys": [{**full, "score": 3, "dspy_uuid": "u"}],
        "unicode": [{**full, "answer": "ça «va» 🦉"}],
    }
    for name, demos in demo_sets.items():
        yield Case(f"demos_{name}", qa, ask, demos)
    for name, (type_, value) in values().items():
        typed = _named(api, "Give", "Give it.", {"text": str}, {"value": type_, "why": str})
        yield Case(f"demo_output_{name}", typed, {"text": "now"}, [{"text": "then", "value": value, "why": "because"}])
    typed = _named(api, "Give", "Give it.", {"items": list[str], "person": Person}, {"people": list[Person], "n": int})
    raw = {"name": "Bo", "age": 1, "address": {"street": "s", "city": "c"}}
    yield Case("demos_plain_dicts_for_models", typed, {"items": ["a"], "person": raw},
               [{"items": ["x", "y"], "person": raw, "people": [raw], "n": "3"}, {"items": ["x"], "n": 4}])


def _history(api: Any) -> Iterator[Case]:
    past = find(api, "History")

    class Talk(api.Signature):
        """Talk."""

        history: past = api.InputField()
        question: str = api.InputField()
        answer: str = api.OutputField()
        mood: Mood = api.OutputField()

    turn = {"question": "q1", "answer": "a1", "mood": "glad"}
    turns = {
        "none": [], "one": [turn], "two": [turn, {"question": "q2", "answer": "a2", "mood": Mood.SAD}],
        "missing_output": [{"question": "q1", "answer": "a1"}], "missing_input": [{"answer": "a1", "mood": "sad"}],
        "none_output": [{**turn, "mood": None}], "extra_keys": [{**turn, "note": "x"}],
        "only_input": [{"question": "q1"}],
    }
    for name, messages in turns.items():
        yield Case(f"history_{name}", Talk, {"history": past(messages=messages), "question": "now?"})
    yield Case("history_with_demos", Talk, {"history": past(messages=[turn]), "question": "now?"},
               [turn, {"question": "half", "answer": "h"}])
    yield Case("history_demo_with_history", Talk, {"history": past(messages=[turn]), "question": "now?"},
               [{"history": past(messages=[turn]), **turn}])
    yield Case("history_not_given", Talk, {"question": "now?"})
    yield Case("history_as_dict", Talk, {"history": {"messages": [turn]}, "question": "now?"})
    alone = _named(api, "Alone", "Go on.", {"history": past}, {"answer": str})
    yield Case("history_alone", alone, {"history": past(messages=[{"answer": "a"}])})
    described = _named(api, "Talk", "Talk.", {"past": (past, {"desc": "what was said"}), "question": str}, {"answer": str})
    yield Case("history_described", described, {"past": past(messages=[{"question": "q", "answer": "a"}]), "question": "now?"})
    image = find(api, "Image")
    seen = _named(api, "Seen", "Look.", {"history": past, "picture": image}, {"answer": str})
    yield Case("history_with_image", seen, {
        "history": past(messages=[{"picture": image(PNG), "answer": "a dot"}]), "picture": image("https://example.com/b.png")})


PNG_BYTES = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
PNG = "data:image/png;base64," + base64.b64encode(PNG_BYTES).decode()
WAV = "data:audio/wav;base64,UklGRiQAAABXQVZFZm10IA=="
PDF = "data:application/pdf;base64,JVBERi0xLjQK"


def _content(api: Any) -> Iterator[Case]:
    image, audio, file, code = (find(api, name) for name in ("Image", "Audio", "File", "Code"))
    document, reasoning, citations = (find(api, name) for name in ("Document", "Reasoning", "Citations"))

    class Album(pydantic.BaseModel):
        title: str
        cover: image
        pages: list[image] = []

    url = "https://example.com/cat.png"
    inputs: dict[str, tuple[Any, Any]] = {
        "image_url": (image, image(url)),
        "image_url_keyword": (image, image(url=url)),
        "image_data_uri": (image, image(PNG)),
        "image_gs": (image, image("gs://bucket/cat.jpg")),
        "image_list": (list[image], [image(url), image(PNG)]),
        "image_list_empty": (list[image], []),
        "image_dict": (dict[str, image], {"a": image(url)}),
        "image_optional": (Optional[image], image(url)),
        "image_optional_none": (Optional[image], None),
        "image_nested": (Album, Album(title="A", cover=image(url), pages=[image(PNG)])),
        "image_nested_list": (list[Album], [Album(title="A", cover=image(url))]),
        "image_in_str_field": (str, image(url)),
        "image_string_given": (image, url),
        "audio": (audio, audio(WAV)),
        "audio_data": (audio, audio(data="QUJD", audio_format="mp3")),
        "file_id": (file, file.from_file_id("file-1", filename="x.pdf")),
        "file_data": (file, file(file_data=PDF, filename="x.pdf")),
        "file_bytes": (file, file.from_bytes(b"%PDF-1.4\n", filename="y.pdf", mime_type="application/pdf")),
        "code": (code, code(code="print(1)\nprint('«x»')")),
        "code_java": (code["java"], code["java"](code="int x = 1;")),
        "document": (document, document(data="The sky is blue.")),
        "document_full": (document, document(data="The sky is blue.", title="Sky", context="facts")),
        "document_list": (list[document], [document(data="a"), document(data="b", title="B")]),
        "reasoning": (reasoning, reasoning(content="because")),
    }
    for name, (type_, value) in inputs.items():
        signature = _named(api, "See", "Look.", {"value": (type_, {"desc": "the thing"}), "question": str}, {"answer": str})
        yield Case(f"content_{name}", signature, {"value": value, "question": "What?"})
    looked = _named(api, "See", "Look.", {"value": image, "question": str}, {"answer": str})
    yield Case("content_image_demos", looked, {"value": image(url), "question": "What?"},
               [{"value": image(PNG), "question": "q", "answer": "a"}, {"value": image(PNG), "answer": "half"}])
    yield Case("content_image_two", _named(api, "Two", "Compare.", {"a": image, "b": image}, {"same": bool}),
               {"a": image(url), "b": image(PNG)})
    outputs: dict[str, tuple[Any, Any]] = {
        "code": (code, code(code="print(1)")),
        "code_java": (code["java"], code["java"](code="int x = 1;")),
        "reasoning": (reasoning, reasoning(content="because")),
        "reasoning_optional": (Optional[reasoning], reasoning(content="because")),
        "code_list": (list[code], [code(code="print(1)")]),
        "image": (image, image(url)),
        "citations": (citations, citations.from_dict_list(
            [{"cited_text": "The sky is blue", "document_index": 0, "start_char_index": 0, "end_char_index": 15}])),
    }
    for name, (type_, value) in outputs.items():
        signature = _named(api, "Make", "Make it.", {"text": str}, {"value": type_, "answer": str})
        yield Case(f"content_output_{name}", signature, {"text": "t"})
        yield Case(f"content_demo_output_{name}", signature, {"text": "t"}, [{"text": "d", "value": value, "answer": "a"}])


# ---------------------------------------------------------------- tools


def search(query: str, limit: int = 3) -> list[str]:
    """Search the archive."""
    return [query] * limit


def now() -> str:
    return "noon"


def book(trip: Address, seats: Optional[list[int]] = None, how: Literal["rail", "road"] = "rail") -> str:
    return f"{trip.city} {seats} {how}"


book.__doc__ = "Book a trip.\n    Say where to."  # written out: from 3.13 on, Python dedents docstrings by itself


def _tool_signatures(api: Any) -> tuple[Any, Any, Any]:
    tool_, calls_, past = find(api, "Tool"), find(api, "ToolCalls"), find(api, "History")

    class Agent(api.Signature):
        """Answer with the tools."""

        question: str = api.InputField()
        history: past = api.InputField()
        tools: list[tool_] = api.InputField()
        note: str = api.OutputField()
        tool_calls: calls_ = api.OutputField()

    class One(api.Signature):
        """Use the tool."""

        question: str = api.InputField()
        tool: tool_ = api.InputField()
        why: str = api.OutputField()
        calls: calls_ = api.OutputField()

    class CallsAlone(api.Signature):
        """Use the tool."""

        question: str = api.InputField()
        tools: list[tool_] = api.InputField(desc="what there is")
        calls: calls_ = api.OutputField(desc="what to do")

    return Agent, One, CallsAlone


def _made_tools(api: Any) -> list[Any]:
    tool = find(api, "Tool")
    return [tool(search), tool(now), tool(book, name="book_trip", arg_desc={"trip": "where to"})]


def _turns(api: Any, ids: bool = True, results: bool = True) -> list[dict[str, Any]]:
    calls, came = find(api, "ToolCalls"), find(api, "ToolCallResults")
    asked = [
        calls.ToolCall(id="call_0_0" if ids else None, name="search", args={"query": "owls", "limit": 2}),
        calls.ToolCall(id="call_0_1" if ids else None, name="now", args={}),
    ]
    found = came.from_tool_calls_and_values(asked, [["barn owl", "«tawny»"], "no clock"], [False, True])
    one = calls(tool_calls=asked, tool_call_results=found if results else None)
    return [{"question": "Which owls?", "note": "Look.", "tool_calls": one}, {"note": "Again.", "tool_calls": one}]


def _tools(api: Any) -> Iterator[Case]:
    agent, one, alone = _tool_signatures(api)
    past, tools = find(api, "History"), _made_tools(api)
    asked = {"question": "Which owls?", "tools": tools, "history": past(messages=[])}
    calls = find(api, "ToolCalls").from_dict_list([{"name": "search", "args": {"query": "é"}}])
    where = ("chat", "json", "xml")
    yield Case("tools_several", agent, asked, adapters=where)
    yield Case("tools_one", one, {"question": "q", "tool": tools[2]}, adapters=where)
    yield Case("tools_alone", alone, {"question": "q", "tools": tools[:1]}, adapters=where)
    yield Case("tools_demo", alone, {"question": "q", "tools": tools[:1]},
               [{"question": "d", "tools": tools[1:2], "calls": calls}], adapters=where)
    yield Case("tools_history", agent, {**asked, "history": past(messages=_turns(api))}, adapters=where)
    yield Case("tools_history_goes_on", agent, {"tools": tools, "history": past(messages=_turns(api))}, adapters=where)
    yield Case("tools_history_without_ids", agent, {**asked, "history": past(messages=_turns(api, ids=False))}, adapters=where)
    yield Case("tools_history_without_results", agent, {**asked, "history": past(messages=_turns(api, results=False))},
               adapters=where)


@dataclasses.dataclass
class NativeCase(Case):
    config: dict[str, Any] = dataclasses.field(default_factory=dict)
    parallel: Optional[bool] = None


def native_cases(api: Any) -> Iterator[NativeCase]:
    """Calls of an adapter with `use_native_function_calling` and a model that calls tools natively."""
    agent, one, alone = _tool_signatures(api)
    past, tools = find(api, "History"), _made_tools(api)
    asked = {"question": "Which owls?", "tools": tools[:1], "history": past(messages=[])}
    pinned = {"type": "function", "function": {"name": "search"}}
    yield NativeCase("native_several", agent, {**asked, "tools": [tools[0], tools[2]]})
    yield NativeCase("native_one", one, {"question": "q", "tool": tools[2]})
    yield NativeCase("native_parallel", agent, asked, parallel=True)
    yield NativeCase("native_one_by_one", agent, asked, parallel=False)
    yield NativeCase("native_choice", agent, asked, config={"tool_choice": pinned}, parallel=True)
    yield NativeCase("native_history", agent, {**asked, "history": past(messages=_turns(api))})
    yield NativeCase("native_history_goes_on", agent, {"tools": tools[:1], "history": past(messages=_turns(api))})
    yield NativeCase("native_history_without_results", agent,
                     {**asked, "history": past(messages=_turns(api, results=False))})


# ---------------------------------------------------------------- cases for parse


@dataclasses.dataclass
class ParseCase:
    adapter: str
    name: str
    signature: Any
    completion: str


def expected_parses(adapter: str) -> dict[str, Any]:
    """By case name: `{"values": {...}}` (through `plain`) or `{"error": "AdapterParseError"}`."""
    return _golden_file(f"parse/{adapter}.json")


def parse_cases(api: Any) -> Iterator[ParseCase]:
    """Every completion, for the adapters that parse it."""
    for adapter, write in (("chat", _as_chat), ("json", _as_json), ("xml", _as_xml)):
        for name, type_, text in _value_texts(api):
            signature = _named(api, "Give", "Give it.", {"text": str}, {"value": type_})
            completion = write({"value": text})
            if completion is not None:
                yield ParseCase(adapter, f"value_{name}", signature, completion)
    for adapter, name, signature, completion in _whole_completions(api):
        yield ParseCase(adapter, name, signature, completion)


def _as_chat(fields: dict[str, str]) -> str:
    return "\n\n".join(f"[[ ## {name} ## ]]\n{text}" for name, text in fields.items()) + "\n\n[[ ## completed ## ]]"


def _as_json(fields: dict[str, str]) -> Optional[str]:
    """The text as a JSON value where it is one, else as a JSON string."""
    parts = []
    for name, text in fields.items():
        try:
            json.loads(text)
            parts.append(f'"{name}": {text}')
        except ValueError:
            parts.append(f'"{name}": {json.dumps(text)}')
    return "{" + ", ".join(parts) + "}"


def _as_xml(fields: dict[str, str]) -> str:
    return "\n".join(f"<{name}>\n{text}\n</{name}>" for name, text in fields.items())


def _value_texts(api: Any) -> Iterator[tuple[str, Any, str]]:
    person = '{"name": "Ada", "age": 36, "address": {"street": "Main 1", "city": "London"}}'
    texts: dict[str, tuple[Any, list[str]]] = {
        "str": (str, ["hello", "  padded  ", "", "two\nlines", '"quoted"', "42", "null", '{"a": 1}']),
        "int": (int, ["3", " 3 ", "3.0", "3.5", "three", "1,000", "-7", "+7", '"3"', "3 apples", "1e3", ""]),
        "float": (float, ["0.5", "1", "1e-3", "50%", ".5", "-0.0", '"0.5"', "inf", "nan", "about 0.5"]),
        "bool": (bool, ["True", "true", "False", "yes", "no", "Yes.", "1", "0", "TRUE", '"true"', "maybe", "t"]),
        "list_str": (list[str], ['["a", "b"]', "['a', 'b']", '["a", "b",]', "[]", "a, b", '```json\n["a"]\n```', "[1, 2]",
                                 "- a\n- b", '["a", "b"', "('a', 'b')"]),
        "list_int": (list[int], ["[1, 2]", '["1", 2]', "[1, 2.0]", "[1, x]", "1"]),
        "dict": (dict[str, int], ['{"a": 1}', "{'a': 1}", '{"a": "1"}', "{a: 1}", "{}", '{"a": 1,}', '{"a": x}']),
        "literal": (Literal["positive", "negative"], ["positive", "Positive", '"positive"', "'negative'", "positive.",
                    "Literal[positive]", "str[positive]", " positive ", "neutral", "POSITIVE", "**positive**"]),
        "literal_int": (Literal[1, 2], ["1", "2", "3", '"1"', "one"]),
        "enum": (Color, ["red", "RED", "Red", "deep blue", "DEEP_BLUE", "Color.RED", '"red"', "yellow"]),
        "int_enum": (Level, ["1", "LOW", "3", "low"]),
        "str_enum": (Mood, ["glad", "GLAD", "Glad"]),
        "optional_int": (Optional[int], ["3", "null", "None", "none", "", "x", "N/A"]),
        "optional_str": (Optional[str], ["text", "null", "None", "", "3", '"quoted"', "['a']"]),
        "optional_literal": (Optional[Literal["a", "b"]], ["a", "null", "None", "c", '"a"', "A"]),
        "optional_enum": (Optional[Color], ["red", "RED", "null", "x"]),
        "union": (Union[int, str], ["3", "x", "3.5", '"3"']),
        "union_no_str": (Union[int, list[int]], ["3", "[3]", "x"]),
        "tuple": (tuple[int, str], ['[1, "x"]', "(1, 'x')", "[1]"]),
        "tuple_any_length": (tuple[int, ...], ["[1, 2, 3]", "(1, 2)", "1, 2"]),
        "set": (set[str], ['["a", "a"]', "{'a'}"]),
        "date": (datetime.date, ["2024-02-29", '"2024-02-29"', "29.2.2024", "2024-02-30"]),
        "datetime": (datetime.datetime, ["2024-02-29T13:05:07", "2024-02-29 13:05:07Z", "2024-02-29", "x"]),
        "decimal": (decimal.Decimal, ["1.50", "x"]),
        "model": (Person, [person, person.replace("36", '"36"'), person.replace("36", "-1"), f"```json\n{person}\n```",
                           person[:-2], "Ada", person.replace('"', "'"), f"Here it is: {person}",
                           person.replace("36", "36,"), '{"name": "Ada"}', f"[{person}]"]),
        "list_models": (list[Address], ['[{"street": "a", "city": "b"}]', "[]", '{"street": "a", "city": "b"}',
                                        '[{"street": "a", "city": "b", "extra": 1}]']),
        "optional_model": (Optional[Address], ['{"street": "a", "city": "b"}', "null", "None"]),
        "union_models": (Union[Cat, Dog], ['{"kind": "dog", "tricks": ["sit"]}', '{"kind": "cat"}', "{}"]),
        "typeddict": (Movie, ['{"title": "Alien", "year": 1979}', '{"title": "Alien"}', '{"title": "Alien", "year": "1979"}']),
        "dataclass": (Point, ['{"x": 1, "y": 2}', '{"x": 1}', "x"]),
        "any": (Any, ["3", '{"a": 1}', "text", "[1, 2]", "null", "true"]),
        "code": (find(api, "Code"), ["print(1)", "```python\nprint(1)\n```", "Text\n```python\nprint(1)\n```\nmore",
                                     '{"code": "print(1)"}', "```\nx\n```", "```python\na\n```\n```python\nb\n```"]),
        "reasoning": (find(api, "Reasoning"), ["because", '{"content": "because"}', "two\nlines"]),
        "none": (type(None), ["null", "None", "x"]),
    }
    for name, (type_, variants) in texts.items():
        for index, text in enumerate(variants):
            yield f"{name}_{index}", type_, text


def _whole_completions(api: Any) -> Iterator[tuple[str, str, Any, str]]:
    qa = api.Signature("question -> reasoning, answer")
    typed = api.Signature("question -> answer: str, score: float, tags: list[str]")
    optional = _named(api, "Maybe", "Say.", {"q": str}, {"answer": str, "note": (Optional[str], {"default": None})})
    chat = {
        "plain": "[[ ## reasoning ## ]]\nr\n\n[[ ## answer ## ]]\na\n\n[[ ## completed ## ]]",
        "no_completed": "[[ ## reasoning ## ]]\nr\n\n[[ ## answer ## ]]\na",
        "text_before": "Sure!\n[[ ## reasoning ## ]]\nr\n[[ ## answer ## ]]\na\n[[ ## completed ## ]]",
        "text_after": "[[ ## reasoning ## ]]\nr\n[[ ## answer ## ]]\na\n[[ ## completed ## ]]\nbye",
        "same_line": "[[ ## reasoning ## ]] r\n[[ ## answer ## ]] a",
        "same_line_and_more": "[[ ## reasoning ## ]] r\nr2\n[[ ## answer ## ]] a [[ ## completed ## ]]",
        "order_swapped": "[[ ## answer ## ]]\na\n[[ ## reasoning ## ]]\nr",
        "repeated": "[[ ## reasoning ## ]]\nr\n[[ ## answer ## ]]\nfirst\n[[ ## answer ## ]]\nsecond",
        "unknown_header": "[[ ## reasoning ## ]]\nr\n[[ ## other ## ]]\nx\n[[ ## answer ## ]]\na",
        "missing_field": "[[ ## reasoning ## ]]\nr\n[[ ## completed ## ]]",
        "no_markers": "Just an answer.",
        "empty": "",
        "json_instead": '{"reasoning": "r", "answer": "a"}',
        "wrong_case": "[[ ## Reasoning ## ]]\nr\n[[ ## ANSWER ## ]]\na",
        "tight_markers": "[[## reasoning ##]]\nr\n[[## answer ##]]\na",
        "indented_markers": "  [[ ## reasoning ## ]]\nr\n  [[ ## answer ## ]]\na",
        "bold_markers": "**[[ ## reasoning ## ]]**\nr\n**[[ ## answer ## ]]**\na",
        "inside_line": "[[ ## reasoning ## ]]\nI write [[ ## answer ## ]] inline\n[[ ## answer ## ]]\na",
        "empty_field": "[[ ## reasoning ## ]]\n\n[[ ## answer ## ]]\na",
        "crlf": "[[ ## reasoning ## ]]\r\nr\r\n[[ ## answer ## ]]\r\na\r\n[[ ## completed ## ]]",
        "inner_blank_lines": "[[ ## reasoning ## ]]\n\n\nr1\n\n\nr2\n\n\n[[ ## answer ## ]]\na",
        "fenced": "```\n[[ ## reasoning ## ]]\nr\n[[ ## answer ## ]]\na\n```",
        "echoed_inputs": "[[ ## question ## ]]\nq\n[[ ## reasoning ## ]]\nr\n[[ ## answer ## ]]\na",
    }
    for name, completion in chat.items():
        yield "chat", name, qa, completion
    yield "chat", "typed", typed, '[[ ## answer ## ]]\na\n[[ ## score ## ]]\n0.5\n[[ ## tags ## ]]\n["x"]\n[[ ## completed ## ]]'
    yield "chat", "typed_bad_score", typed, '[[ ## answer ## ]]\na\n[[ ## score ## ]]\nhigh\n[[ ## tags ## ]]\n["x"]'
    yield "chat", "optional_missing", optional, "[[ ## answer ## ]]\na"
    yield "chat", "optional_given", optional, "[[ ## answer ## ]]\na\n[[ ## note ## ]]\nn"
    jsons = {
        "plain": '{"reasoning": "r", "answer": "a"}',
        "fenced": '```json\n{"reasoning": "r", "answer": "a"}\n```',
        "text_around": 'Here you are: {"reasoning": "r", "answer": "a"} Enjoy {}.',
        "text_before": 'Sure.\n\n{"reasoning": "r", "answer": "a"}',
        "text_after": '{"reasoning": "r", "answer": "a"}\n\nAnything else?',
        "trailing_comma": '{"reasoning": "r", "answer": "a",}',
        "single_quotes": "{'reasoning': 'r', 'answer': 'a'}",
        "python_literals": "{'reasoning': None, 'answer': True}",
        "unquoted_keys": '{reasoning: "r", answer: "a"}',
        "unclosed": '{"reasoning": "r", "answer": "a"',
        "cut_in_string": '{"reasoning": "r", "answer": "a b',
        "newline_in_string": '{"reasoning": "r\nr2", "answer": "a"}',
        "extra_keys": '{"reasoning": "r", "answer": "a", "more": 1}',
        "order_swapped": '{"answer": "a", "reasoning": "r"}',
        "missing_key": '{"reasoning": "r"}',
        "wrong_case": '{"Reasoning": "r", "Answer": "a"}',
        "list_of_object": '[{"reasoning": "r", "answer": "a"}]',
        "array": '["r", "a"]',
        "string": '"a"',
        "number": "3",
        "empty": "",
        "not_json": "The answer is a.",
        "empty_object": "{}",
        "numbers_for_strings": '{"reasoning": 1, "answer": 2.5}',
        "objects_for_strings": '{"reasoning": {"x": 1}, "answer": ["a"]}',
        "null_for_string": '{"reasoning": null, "answer": "a"}',
        "nested_braces": '{"reasoning": "use {x} and {y}", "answer": "{a}"}',
        "escapes": '{"reasoning": "tab\\t \\u00e9 \\"q\\"", "answer": "a\\nb"}',
        "two_objects": '{"reasoning": "r1", "answer": "a1"} {"reasoning": "r2", "answer": "a2"}',
        "duplicate_keys": '{"reasoning": "r", "answer": "first", "answer": "second"}',
        "comments": '{"reasoning": "r", // why\n "answer": "a"}',
        "chat_instead": "[[ ## reasoning ## ]]\nr\n\n[[ ## answer ## ]]\na\n\n[[ ## completed ## ]]",
        "wrapped_in_key": '{"output": {"reasoning": "r", "answer": "a"}}',
        "thinking_before": '<think>{"x": 1}</think>\n{"reasoning": "r", "answer": "a"}',
    }
    for name, completion in jsons.items():
        yield "json", name, qa, completion
    yield "json", "typed", typed, '{"answer": "a", "score": 0.5, "tags": ["x"]}'
    yield "json", "typed_strings", typed, '{"answer": "a", "score": "0.5", "tags": "[\\"x\\"]"}'
    yield "json", "typed_bad_score", typed, '{"answer": "a", "score": "high", "tags": []}'
    yield "json", "optional_missing", optional, '{"answer": "a"}'
    yield "json", "optional_null", optional, '{"answer": "a", "note": null}'
    xmls = {
        "plain": "<reasoning>\nr\n</reasoning>\n<answer>\na\n</answer>",
        "one_line": "<reasoning>r</reasoning><answer>a</answer>",
        "text_around": "Sure:\n<reasoning>r</reasoning>\nand\n<answer>a</answer>\nbye",
        "order_swapped": "<answer>a</answer><reasoning>r</reasoning>",
        "repeated": "<reasoning>r</reasoning><answer>first</answer><answer>second</answer>",
        "missing_field": "<reasoning>r</reasoning>",
        "unclosed": "<reasoning>r</reasoning><answer>a",
        "empty_field": "<reasoning></reasoning><answer>a</answer>",
        "self_closed": "<reasoning/><answer>a</answer>",
        "escaped": "<reasoning>1 &lt; 2 &amp; 3</reasoning><answer>a</answer>",
        "unescaped_ampersand": "<reasoning>1 & 2</reasoning><answer>a</answer>",
        "unescaped_less": "<reasoning>1 < 2</reasoning><answer>a</answer>",
        "inner_tags": "<reasoning>use <b>bold</b> here</reasoning><answer>a</answer>",
        "fenced": "```xml\n<reasoning>r</reasoning>\n<answer>a</answer>\n```",
        "wrapped": "<output><reasoning>r</reasoning><answer>a</answer></output>",
        "wrong_case": "<Reasoning>r</Reasoning><Answer>a</Answer>",
        "attributes": '<reasoning lang="en">r</reasoning><answer>a</answer>',
        "cdata": "<reasoning><![CDATA[1 < 2]]></reasoning><answer>a</answer>",
        "no_tags": "Just an answer.",
        "empty": "",
        "extra_tags": "<reasoning>r</reasoning><other>x</other><answer>a</answer>",
        "declaration": '<?xml version="1.0"?>\n<reasoning>r</reasoning><answer>a</answer>',
        "json_instead": '{"reasoning": "r", "answer": "a"}',
        "entity": "<reasoning>a&nbsp;b &copy; &#65;</reasoning><answer>a</answer>",
        "doctype": '<!DOCTYPE x [<!ENTITY e "boom">]><reasoning>&e;</reasoning><answer>a</answer>',
    }
    for name, completion in xmls.items():
        yield "xml", name, qa, completion
    yield "xml", "typed", typed, "<answer>a</answer><score>0.5</score><tags><item>x</item><item>y</item></tags>"
    yield "xml", "typed_json_list", typed, '<answer>a</answer><score>0.5</score><tags>["x", "y"]</tags>'
    yield "xml", "typed_empty_list", typed, "<answer>a</answer><score>0.5</score><tags></tags>"
    yield "xml", "typed_one_item", typed, "<answer>a</answer><score>0.5</score><tags><item>x</item></tags>"
    yield "xml", "typed_bad_score", typed, "<answer>a</answer><score>high</score><tags></tags>"
    nested = _named(api, "Nested", "Find.", {"text": str}, {"person": Person})
    yield "xml", "nested", nested, (
        "<person><name>Ada &amp; Co</name><age>36</age><address><street>Main 1</street><city>London</city></address>"
        "<nicknames><item>A</item><item>B</item></nicknames></person>")
    yield "xml", "nested_one_item", nested, (
        "<person><name>Ada</name><age>36</age><address><street>Main 1</street><city>London</city></address>"
        "<nicknames><item>A</item></nicknames></person>")
    yield "xml", "nested_json", nested, (
        '<person>{"name": "Ada", "age": 36, "address": {"street": "Main 1", "city": "London"}}</person>')
    yield "xml", "nested_null", nested, (
        "<person><name>Ada</name><age>36</age><address><street>Main 1</street><city>London</city>"
        "<zip_code>null</zip_code></address></person>")
    people = _named(api, "People", "Find.", {"text": str}, {"homes": list[Address], "by_name": dict[str, int]})
    yield "xml", "list_of_models", people, (
        "<homes><item><street>a</street><city>b</city></item><item><street>c</street><city>d</city></item></homes>"
        '<by_name><entry key="x">1</entry><entry key="y z">2</entry></by_name>')
    yield "xml", "dict_as_json", people, '<homes>[]</homes><by_name>{"x": 1}</by_name>'
    yield "xml", "dict_as_tags", people, "<homes></homes><by_name><x>1</x><y>2</y></by_name>"
    movie = _named(api, "Film", "Find.", {"text": str}, {"film": Movie, "ok": bool, "mood": Literal["a", "b"]})
    yield "xml", "typeddict", movie, "<film><title>Alien</title><year>1979</year></film><ok>true</ok><mood>a</mood>"


# ---------------------------------------------------------------- values as JSON


def plain(value: Any) -> Any:
    """A parsed value as JSON that still tells the types apart."""
    if isinstance(value, enum.Enum):
        return {"__enum__": f"{type(value).__name__}.{value.name}"}
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else {"__float__": repr(value)}
    if isinstance(value, pydantic.BaseModel):
        return {"__model__": type(value).__name__, **{name: plain(getattr(value, name)) for name in type(value).model_fields}}
    if dataclasses.is_dataclass(value):
        return {"__dataclass__": type(value).__name__, **{f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, tuple):
        return {"__tuple__": [plain(item) for item in value]}
    if isinstance(value, (set, frozenset)):
        return {"__set__": sorted(plain(item) for item in value)}
    return {"__str__": f"{type(value).__name__}: {value}"}
