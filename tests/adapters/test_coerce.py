# ruff: noqa: UP007, UP045  (both spellings of a union are types that people write)
import dataclasses
import datetime
import decimal
import enum
import ipaddress
import pathlib
import uuid
from typing import Annotated, Any, Literal, NamedTuple, Optional, Union

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import TypedDict

from dspx.adapters.coerce import allows_none, bare, coercer, parse_value, why
from dspx.adapters.render import value_text
from dspx.content.code import Code
from dspx.content.image import Image
from dspx.content.reasoning import Reasoning
from dspx.core.fields import OutputField
from dspx.core.signature import Signature


class Color(enum.Enum):
    RED = "red"
    DEEP_BLUE = "deep blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Right(enum.Flag):
    READ = 1
    WRITE = 2


class Address(pydantic.BaseModel):
    city: str
    code: int = 0


class Person(pydantic.BaseModel):
    name: str
    mood: Literal["glad", "sad"] = "glad"
    score: float = 0
    homes: list[Address] = []
    color: Color | None = None


class Movie(TypedDict):
    title: str
    year: int


@dataclasses.dataclass
class Point:
    x: int
    y: float = 0.5


class Pair(NamedTuple):
    left: int
    right: str


def output(annotation, **kwargs):
    return Signature({"y": (annotation, OutputField(**kwargs))}).fields["y"]


# ---------------------------------------------------------------- meaning that is plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Yes.", True),
        ("true.", True),
        ("TRUE", True),
        ("**no**", False),
        (" 'False' ", False),
        ("1", True),
        ("1.0", True),
    ],
)
def test_yes_means_true(text, value):
    assert parse_value(text, bool) is value


@pytest.mark.parametrize("text", ["maybe", "", "yes and no", "2"])
def test_what_is_neither_yes_nor_no_is_refused(text):
    with pytest.raises(ValueError, match="neither True nor False"):
        parse_value(text, bool)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234", 1234),
        ("42.", 42),
        ("**42**", 42),
        ("$42", 42),
        ("-$1,000", -1000),
        ("`7`", 7),
        ("3.0", 3),
        ("1e3", 1000),
        ("12345678901234567890123", 12345678901234567890123),
        ('"3"', 3),
    ],
)
def test_a_number_is_read_through_its_dress(text, value):
    assert parse_value(text, int) == value
    assert type(parse_value(text, int)) is int


@pytest.mark.parametrize(
    "text", ["3.5", "three", "3 apples", "1,23", "1.234,56", "", "1 or 2", "+-3", "1,000,00", "9" * 5000]
)
def test_a_number_in_doubt_is_refused(text):
    with pytest.raises(ValueError, match="not an int"):
        parse_value(text, int)


def test_floats_come_in_every_spelling():
    assert [parse_value(text, float) for text in (".5", "1,234.50", "€3.20", "1e-3", "-0.0", 3)] == [
        0.5, 1234.5, 3.2, 0.001, 0.0, 3.0,
    ]  # fmt: skip
    assert parse_value("inf", float) == float("inf")
    for text in ("50%", "about 0.5", "", "1.2.3"):
        with pytest.raises(ValueError, match="not a float"):
            parse_value(text, float)


@pytest.mark.parametrize(
    "text",
    ["glad", "Glad", '"glad"', "'GLAD'", "glad.", "**Glad**", "Literal[glad]", "str['glad']", " glad\n"],
)
def test_a_choice_is_known_in_any_case_and_dress(text):
    assert parse_value(text, Literal["glad", "sad"]) == "glad"


def test_a_choice_that_differs_only_in_case_stays_exact():
    assert parse_value("a", Literal["a", "A"]) == "a"
    assert parse_value("A", Literal["a", "A"]) == "A"
    with pytest.raises(ValueError, match="none of"):
        parse_value("neutral", Literal["a", "A"])


def test_choices_keep_their_types():
    mixed: Any = Literal[1, "two", True, None]
    assert [parse_value(text, mixed) for text in ("1", "two", "True", "None", "null")] == [
        1,
        "two",
        True,
        None,
        None,
    ]
    assert parse_value("True", mixed) is True
    assert parse_value(1, mixed) == 1
    with pytest.raises(ValueError, match="is none of 1, 'two', True, None"):
        parse_value("3", mixed)


@pytest.mark.parametrize("text", ["red", "RED", "Red", "Color.RED", "**red**", "'red'"])
def test_an_enum_is_known_by_value_or_name(text):
    assert parse_value(text, Color) is Color.RED


def test_enums_of_other_values():
    assert parse_value("2", Level) is Level.HIGH
    assert parse_value(2, Level) is Level.HIGH
    assert parse_value("low", Level) is Level.LOW
    assert parse_value("3", Right) == Right.READ | Right.WRITE
    with pytest.raises(ValueError, match="is none of 1, 2"):
        parse_value("3", Level)


@pytest.mark.parametrize("text", ["null", "None", "none", "", "N/A", "**None**"])
def test_nothing_is_said_in_many_ways(text):
    assert parse_value(text, Optional[int]) is None
    assert parse_value(text, type(None)) is None


def test_an_optional_text_is_the_text():
    assert parse_value("None", Optional[str]) == "None"
    assert parse_value("[1]", Union[str, None]) == "[1]"


def test_a_union_tries_the_exact_type_first():
    assert parse_value("3", Union[int, str]) == 3
    assert parse_value("3.5", Union[int, str]) == "3.5"
    assert parse_value('"3"', Union[int, str]) == "3"
    assert parse_value("{Paris} [1]", Union[int, str]) == "{Paris} [1]"
    assert parse_value("RED", Optional[Color]) is Color.RED
    assert parse_value('{"city": "Rome"}', Union[Address, Movie]) == Address(city="Rome")
    with pytest.raises(ValueError, match="valid integer"):
        parse_value("x", Union[int, list[int]])


@pytest.mark.parametrize(
    ("text", "annotation", "value"),
    [
        ('```json\n["a"]\n```', list[str], ["a"]),
        ('["a", "b",]', list[str], ["a", "b"]),
        ("['a', None]", list[str | None], ["a", None]),
        ("- a\n- b", list[str], ["a", "b"]),
        ("1. 3\n2. 4", list[int], [3, 4]),
        ("7", list[int], [7]),
        ("[1, 2]", list[str], ["1", "2"]),
        ('"[1, 2]"', list[int], [1, 2]),
        ('["$1", "2,000"]', list[int], [1, 2000]),
        ("{'a'}", set[str], {"a"}),
        ("(1, 'x')", tuple[int, str], (1, "x")),
        ("1, 2", tuple[int, ...], (1, 2)),
        ('{"a": "Yes."}', dict[str, bool], {"a": True}),
        ('{"a": 1', dict[str, int], {"a": 1}),
        ('[{"city": "Rome"}]', Address, Address(city="Rome")),
        ('{"city": "Rome"}', list[Address], [Address(city="Rome")]),
        ('Here: {"city": "Rome"}', Address, Address(city="Rome")),
        ("Rome", Annotated[str, "a city"], "Rome"),
        ("`2024-02-29`", datetime.date, datetime.date(2024, 2, 29)),
        ("$1,234.50", decimal.Decimal, decimal.Decimal("1234.5")),
        ("text", Any, "text"),
        ("3", Any, 3),
        ("2024-02-29", Any, "2024-02-29"),
    ],
)
def test_a_value_is_found_where_its_meaning_is_plain(text, annotation, value):
    assert parse_value(text, annotation) == value


def test_what_pydantic_complains_of_inside_is_read_tolerantly():
    text = '{"name": "Ada", "mood": "Sad", "score": "1,200", "homes": [{"city": "Rome", "code": "$7"}], "color": "DEEP_BLUE"}'
    person = parse_value(text, Person)
    assert person == Person(
        name="Ada", mood="sad", score=1200, homes=[Address(city="Rome", code=7)], color=Color.DEEP_BLUE
    )


def test_mending_does_not_touch_what_was_given():
    given_value = {"name": "Ada", "mood": "Sad"}
    assert parse_value(given_value, Person).mood == "sad"
    assert given_value["mood"] == "Sad"


@pytest.mark.parametrize(
    ("text", "annotation"),
    [
        ("Ada", Person),
        ('{"name": "Ada", "mood": "so so"}', Person),
        ("a, b", list[str]),
        ("[1, x]", list[int]),
        ("29.2.2024", datetime.date),
        ('{"title": "Alien"}', Movie),
        ("x", Point),
        ("[1]", tuple[int, str]),
        ("x", type(None)),
    ],
)
def test_a_value_in_doubt_is_refused(text, annotation):
    with pytest.raises(ValueError, match=r".+"):
        parse_value(text, annotation)


def test_constraints_hold():
    assert coercer(output(int, ge=1, le=3))("3") == 3
    with pytest.raises(ValueError, match="less than or equal to 3") as caught:
        coercer(output(int, ge=1, le=3))("1,000")
    assert why(caught.value) == "Input should be less than or equal to 3"
    with pytest.raises(ValueError, match="at least 2 items"):
        coercer(output(list[str], min_length=2))('["a"]')
    assert coercer(output(Annotated[str, pydantic.AfterValidator(str.upper)]))("a") == "A"


def test_what_is_wrong_is_said_in_a_line():
    with pytest.raises(ValueError, match="age") as caught:
        pydantic.TypeAdapter(dict[str, int]).validate_python({"age": "x", "b": "y", "c": "z", "d": "w"})
    assert why(caught.value).startswith("age: Input should be a valid integer")
    assert why(caught.value).endswith("(and 1 more)")
    assert why(ValueError("plain")) == "plain"


def test_content_types_read_texts_themselves():
    assert parse_value("[1] because {x}", Reasoning).content == "[1] because {x}"
    assert parse_value('{"content": "because"}', Reasoning).content == "because"
    assert parse_value("```python\nprint(1)\n```", Code).code == "print(1)"
    assert parse_value('{"code": "print(1)"}', Code).code == "print(1)"
    assert parse_value('"quoted"', Code).code == '"quoted"'
    assert parse_value("https://example.com/a.png", Image).url == "https://example.com/a.png"


def test_bare_words():
    assert [bare(text) for text in ("**Yes.**", " `a` ", '"x",', "***", "a_b", "")] == [
        "Yes",
        "a",
        "x",
        "*",
        "a_b",
        "",
    ]


def test_which_types_allow_none():
    yes = (None, type(None), Optional[int], int | None, Annotated[int | None, "x"])
    assert [allows_none(annotation) for annotation in (*yes, int, list[None], Any)] == [True] * 5 + [
        False
    ] * 3


# ---------------------------------------------------------------- every type comes back

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SMALL = st.integers(-(10**30), 10**30)
FINITE = st.floats(allow_nan=False)
PEOPLE = st.builds(
    Person,
    name=TEXT,
    mood=st.sampled_from(["glad", "sad"]),
    score=FINITE,
    homes=st.lists(st.builds(Address, city=TEXT, code=SMALL), max_size=2),
    color=st.sampled_from([None, *Color]),
)
TYPES: dict[Any, Any] = {
    str: TEXT,
    int: SMALL,
    float: FINITE,
    bool: st.booleans(),
    type(None): st.none(),
    bytes: st.binary(),
    decimal.Decimal: st.decimals(allow_nan=False, allow_infinity=False, places=3),
    datetime.datetime: st.datetimes(),
    datetime.date: st.dates(),
    datetime.time: st.times(),
    datetime.timedelta: st.timedeltas(datetime.timedelta(0), datetime.timedelta(days=10**6)),
    uuid.UUID: st.uuids(),
    pathlib.PurePosixPath: st.sampled_from([pathlib.PurePosixPath("a/b c.txt"), pathlib.PurePosixPath("/")]),
    ipaddress.IPv4Address: st.ip_addresses(v=4),
    complex: st.sampled_from([1 + 2j, -0.5j, 3 + 0j]),
    Color: st.sampled_from(Color),
    Level: st.sampled_from(Level),
    Literal["a", 1, True, None]: st.sampled_from(["a", 1, True, None]),
    Optional[int]: st.none() | SMALL,
    Optional[Color]: st.none() | st.sampled_from(Color),
    Optional[datetime.date]: st.none() | st.dates(),
    Union[int, list[str]]: SMALL | st.lists(TEXT),
    list[str]: st.lists(TEXT),
    list[float]: st.lists(FINITE),
    list[int | None]: st.lists(st.none() | SMALL),
    set[int]: st.sets(SMALL),
    frozenset[str]: st.frozensets(TEXT),
    tuple[int, str]: st.tuples(SMALL, TEXT),
    tuple[bool, ...]: st.lists(st.booleans()).map(tuple),
    dict[str, int]: st.dictionaries(TEXT, SMALL),
    dict[int, list[bool]]: st.dictionaries(SMALL, st.lists(st.booleans())),
    dict[datetime.date, decimal.Decimal]: st.dictionaries(
        st.dates(), st.decimals(allow_nan=False, allow_infinity=False)
    ),
    list[list[uuid.UUID]]: st.lists(st.lists(st.uuids())),
    Movie: st.fixed_dictionaries({"title": TEXT, "year": SMALL}),
    Point: st.builds(Point, x=SMALL, y=FINITE),
    Pair: st.builds(Pair, left=SMALL, right=TEXT),
    Person: PEOPLE,
    list[Person]: st.lists(PEOPLE, max_size=2),
    Optional[Person]: st.none() | PEOPLE,
    dict[str, Person]: st.dictionaries(TEXT, PEOPLE, max_size=2),
    Union[Person, Movie]: PEOPLE,
}
READERS = {annotation: coercer(output(annotation)) for annotation in TYPES}


@pytest.mark.parametrize("annotation", TYPES, ids=str)
def test_every_value_that_is_written_is_read_back(annotation):
    @given(TYPES[annotation])
    def comes_back(value):
        read = READERS[annotation](value_text(value))
        assert read == value
        assert type(read) is type(value)

    comes_back()


@given(
    st.recursive(
        st.none() | st.booleans() | SMALL | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    )
)
def test_any_json_is_read_back(value):
    assert parse_value(value_text(value), Any) == value
