import json
import typing
from pathlib import Path
from typing import Literal

import pydantic
import pytest

import dspx
from dspx.errors import SignatureError, StateError
from tests.golden import more_cases

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "signatures.json").read_text())
OURS = more_cases.signatures(dspx)

# Where dspx differs from DSPy on purpose: what DSPy drops silently is an error, what it cannot build is built.
REFUSED = {"a = 3 -> b", "a, *args -> b", "a, **kwargs -> b", "a, a -> b"}
ALLOWED = {"a: Any -> b: object", "a: bytes -> b: bytearray", 'a: Literal["with -> arrow"] -> b'}
OTHERWISE = {"a: None -> b: None"}


class QA(dspx.Signature):
    """Answer the question."""

    question: str = dspx.InputField(desc="what somebody asks")
    answer: int = dspx.OutputField(ge=0, le=10)


@pytest.mark.parametrize("text", [t for t in GOLDEN["grammar"] if t not in REFUSED | ALLOWED | OTHERWISE])
def test_a_string_means_what_it_means_in_dspy(text):
    expected, ours = GOLDEN["grammar"][text], OURS["grammar"][text]
    if "error" in expected:
        assert ours == {"error": "SignatureError"}
    else:
        assert ours == expected


@pytest.mark.parametrize("text", sorted(REFUSED))
def test_what_a_string_cannot_say_is_refused_and_not_dropped(text):
    with pytest.raises(SignatureError):
        dspx.Signature(text)


@pytest.mark.parametrize("text", sorted(ALLOWED))
def test_every_type_may_be_named(text):
    assert list(dspx.Signature(text).fields) == ["a", "b"]


@pytest.mark.parametrize("edit", list(GOLDEN["edits"]))
def test_an_edit_gives_what_it_gives_in_dspy(edit):
    expected = GOLDEN["edits"][edit]
    if expected.get("error") == "ValueError":
        expected = {"error": "SignatureError"}
    assert OURS["edits"][edit] == expected


def test_prefixes_are_inferred_from_names():
    assert OURS["prefixes"] == GOLDEN["prefixes"]


def test_an_edit_leaves_the_original_as_it_was():
    before = repr(QA)
    changed = QA.with_instructions("Be brief.").append("why", dspx.OutputField(), str).delete("question")
    assert repr(QA) == before
    assert changed.instructions == "Be brief."
    assert changed.signature == " -> answer, why"


def test_a_name_in_a_string_is_never_imported():
    import sys

    assert "antigravity" not in sys.modules
    with pytest.raises(SignatureError, match="Unknown name: antigravity"):
        dspx.Signature("a: antigravity -> b")
    assert "antigravity" not in sys.modules


def test_a_type_in_sight_may_be_named_also_inside_brackets():
    class Local(pydantic.BaseModel):
        x: int

    signature = dspx.Signature("a: list[Local] -> b: Optional[Local]")
    assert signature.fields["a"].annotation == list[Local]
    assert signature.fields["b"].annotation == (Local | None)


def test_custom_types_go_first():
    signature = dspx.Signature("a: Thing -> b", custom_types={"Thing": int})
    assert signature.fields["a"].annotation is int


def test_the_same_text_means_other_types_in_other_places():
    def one():
        class Thing(pydantic.BaseModel):
            x: int

        return Thing, dspx.Signature("a: Thing -> b").fields["a"].annotation

    def two():
        class Thing(pydantic.BaseModel):
            y: int

        return Thing, dspx.Signature("a: Thing -> b").fields["a"].annotation

    for place in (one, two):
        defined, found = place()
        assert found is defined


def test_inputs_come_before_outputs_whatever_the_order_in_the_class():
    class Mixed(dspx.Signature):
        b: str = dspx.OutputField()
        a: str = dspx.InputField()

    assert list(Mixed.fields) == ["a", "b"]


def test_a_class_without_docstring_says_what_to_do_from_its_fields():
    class Bare(dspx.Signature):
        a: str = dspx.InputField()
        b: str = dspx.OutputField()

    assert Bare.instructions == "Given the fields `a`, produce the fields `b`."


def test_a_subclass_inherits_fields_and_instructions():
    class More(QA):
        why: str = dspx.OutputField()

    assert More.signature == "question -> answer, why"
    assert More.instructions == "Answer the question."


def test_a_field_that_is_not_declared_is_named():
    with pytest.raises(
        SignatureError, match=r"'answer' of Wrong must be declared with InputField or OutputField"
    ):

        class Wrong(dspx.Signature):
            question: str = dspx.InputField()
            answer: str


def test_annotations_that_are_strings_are_resolved_where_the_class_is_written():
    class Local(pydantic.BaseModel):
        x: int

    class Quoted(dspx.Signature):
        a: "list[Local]" = dspx.InputField()
        b: "Literal['x', 'y']" = dspx.OutputField()

    assert Quoted.fields["a"].annotation == list[Local]
    assert Quoted.fields["b"].annotation == Literal["x", "y"]


def test_an_unknown_annotation_is_an_error_that_names_it():
    with pytest.raises(SignatureError, match="NotThere"):

        class Wrong(dspx.Signature):
            a: "NotThere" = dspx.InputField()  # noqa: F821


def test_pydantic_fields_that_say_their_role_are_fields():
    class Theirs(dspx.Signature):
        a: int = pydantic.Field(ge=1, json_schema_extra={"__dspy_field_type": "input"})
        b: str = dspx.OutputField()

    assert Theirs.input_fields["a"].constraints == "greater than or equal to: 1"


def test_constraints_are_said_and_checked():
    field = QA.output_fields["answer"]
    assert field.constraints == "greater than or equal to: 0, less than or equal to: 10"
    assert field.validator.validate_python("7") == 7
    with pytest.raises(pydantic.ValidationError):
        field.validator.validate_python(11)


def test_field_extras_are_those_of_dspy():
    for name, expected in GOLDEN["field_extras"].items():
        ours = OURS["field_extras"][name]
        assert {key: ours[key] for key in expected} == expected


def test_state_goes_into_the_same_fields_and_no_others():
    state = QA.with_instructions("Think.").dump_state()
    assert QA.load_state(state).instructions == "Think."
    with pytest.raises(StateError, match=r"question, answer.*this program's has \[a, b\]"):
        dspx.Signature("a -> b").load_state(state)
    with pytest.raises(StateError):
        dspx.Signature("a -> b, c").load_state(state)


def test_equals_compares_instructions_and_descriptions():
    assert QA.equals(QA.with_instructions("Answer the question."))
    assert not QA.equals(QA.with_instructions("Other."))
    assert not QA.equals(QA.with_updated_fields("answer", desc="x"))
    assert QA.with_instructions("Answer the question.") != QA


def test_a_filled_in_signature_has_its_fields_as_attributes():
    filled = QA(question="Who?")
    assert filled.question == "Who?"
    with pytest.raises(SignatureError, match="unknown fields"):
        QA(nope=1)


def test_an_edited_copy_is_cheap_because_it_shares_its_fields():
    assert QA.with_instructions("x").fields is QA.fields
    assert QA.with_instructions("x").shape == QA.shape


def test_ensure_signature_takes_text_or_a_class():
    assert dspx.ensure_signature(None) is None
    assert dspx.ensure_signature(QA) is QA
    assert dspx.ensure_signature("a -> b", "Do.").instructions == "Do."
    with pytest.raises(ValueError, match="with_instructions"):
        dspx.ensure_signature(QA, "Do.")


def test_deprecated_field_arguments_warn_and_are_kept():
    with pytest.warns(DeprecationWarning, match="prefix= has no effect"):
        field = dspx.InputField(prefix="Q:")
    assert field.json_schema_extra["prefix"] == "Q:"


@pytest.mark.parametrize("literal", ["Literal[blue]", "Literal[f()]", "Literal[{[]: 1}]"])
def test_a_literal_holds_constants_only(literal):
    with pytest.raises(SignatureError, match="constants only"):
        dspx.Signature(f"question -> answer: {literal}")


def test_the_white_space_inside_a_literal_is_kept_and_fields_may_stand_on_several_lines():
    signature = dspx.Signature("""
        text,
        tone: Literal['very  calm', 'calm'] ->
            answer
    """)
    assert list(signature.fields) == ["text", "tone", "answer"]
    assert typing.get_args(signature.input_fields["tone"].annotation) == ("very  calm", "calm")
