import pydantic
import pytest

import dspx
from dspx.core.fitting import fit_fields, fit_leaves


def fields(text, **instructions):
    return dspx.Signature(text).dump_state()["fields"]


def of_dspy(text):
    """Fields as DSPy writes them: without names."""
    return [{"prefix": f["prefix"], "description": f["description"]} for f in fields(text)]


def test_fields_are_matched_by_name_in_any_order():
    fit = fit_fields(fields("a, b -> c"), fields("b, a -> c"))
    assert fit.problems == ()
    assert [fit.by_name[name]["name"] for name in ("a", "b", "c")] == ["a", "b", "c"]


def test_a_renamed_field_is_gone_and_new_with_a_suggestion():
    fit = fit_fields(fields("question -> answer"), fields("question -> answers"))
    assert fit.problems == (
        "the field `answer` is gone; new is 'answers': was it renamed?",
        "the field `answers` is new, and nothing is saved for it",
    )


def test_another_type_and_another_role_are_told():
    fit = fit_fields(fields("a: int, b -> c"), fields("a: list[int] -> b, c"))
    assert fit.problems == (
        "the field `a` was int and is now list[int]",
        "the field `b` was an input and is now an output",
    )


def test_a_record_that_changed_within_is_told():
    def record(**parts):
        return pydantic.create_model("City", **parts)

    class Old(dspx.Signature):
        city: record(name=(str, ...), size=(int, ...)) = dspx.InputField()
        answer: str = dspx.OutputField()

    class New(dspx.Signature):
        city: record(name=(bytes, ...), country=(str, ...)) = dspx.InputField()
        answer: str = dspx.OutputField()

    [problem] = fit_fields(Old.dump_state()["fields"], New.dump_state()["fields"]).problems
    assert problem == (
        "the field `city` holds City, which has lost `size`, has got `country`, has `name` as bytes, not str"
    )


def test_what_dspy_saved_without_names_is_told_by_descriptions_and_prefixes():
    fit = fit_fields(of_dspy("question, context -> answer"), fields("context, question -> answer"))
    assert fit.problems == fit.assumed == ()
    assert fit.by_name["context"]["prefix"] == "Context:"
    described = [{"prefix": "Question:", "description": "what is asked"}, *of_dspy("a -> answer")[1:]]
    assert fit_fields(described, fields("question -> answer")).problems == ()


def test_a_field_of_dspys_that_was_renamed_is_not_taken_by_its_place():
    fit = fit_fields(of_dspy("question -> answer"), fields("query -> answer"))
    assert fit.problems[0].startswith("the field `question` is gone")


def test_where_only_the_place_tells_it_is_assumed_aloud():
    saved = [{"prefix": "Q:", "description": "what is asked"}, *of_dspy("a -> answer")[1:]]
    fit = fit_fields(saved, fields("question -> answer"))
    assert fit.problems == ()
    assert fit.by_name["question"]["prefix"] == "Q:"
    assert fit.assumed == ("'Q:' was taken for `question`, by its place",)


def test_without_names_and_of_another_number_nothing_is_taken_by_place():
    saved = [{"prefix": "Q:", "description": "what is asked"}, *of_dspy("a -> answer")[1:]]
    fit = fit_fields(saved, fields("question, context -> answer"))
    assert fit.assumed == ()
    assert "the field `Q` is gone" in fit.problems


@pytest.mark.parametrize(
    ("now", "suggestion"),
    [
        ("rank", "saved is 'ranker', of the same fields"),
        ("rankers", "saved is 'ranker'"),
        ("zebra", "of the same"),
    ],
)
def test_a_leaf_that_was_renamed_is_suggested(now, suggestion):
    leaf = dspx.Predict("text -> rank: int").dump_state()
    other = dspx.Predict("text -> other").dump_state()
    saved, own = {"ranker": leaf, "other": other}, {now: leaf, "other": other}
    missing, left = fit_leaves(saved, own)
    assert missing.missing
    assert suggestion in str(missing)
    assert (left.leaf, left.missing) == ("ranker", False)
    assert "was it renamed?" in str(left)
