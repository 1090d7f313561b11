"""Templates for messages: what they can read, and how they fail."""

from __future__ import annotations

from typing import Any

import pytest

from dspx.adapters.prompt_templates import Names, compile_template
from dspx.errors import UsageError

INPUTS = Names("inputs", {"question": 'Why "<x>" & {{ y }}?', "items": "it"})


def render(source: str, **values: Any) -> str:
    return compile_template(source, "message 2 (user)").render({"inputs": INPUTS, **values})


def test_values_are_put_in_as_they_are():
    assert render("Q: {{ inputs.question }}") == 'Q: Why "<x>" & {{ y }}?'
    assert render("{{ inputs['items'] }} {{ inputs.items }}") == "it it"
    assert (
        render(
            "{% for name, text in other.items() %}{{ name }}={{ text }}{% endfor %}",
            other=Names("o", {"a": 1}),
        )
        == "a=1"
    )


def test_blocks_leave_no_blank_lines():
    assert render("a\n{% for name in inputs %}\n- {{ name }}\n{% endfor %}\nb") == "a\n- question\n- items\nb"


def test_tojson_is_for_prompts():
    assert render("{{ x | tojson }}", x={"ü": ["<", None]}) == '{"ü": ["<", null]}'
    assert render("{{ inputs | tojson }}") == '{"question": "Why \\"<x>\\" & {{ y }}?", "items": "it"}'
    assert render("{{ x | tojson(indent=1) }}", x=[1]) == "[\n 1\n]"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "a\n{{ inputs.questoin }}",
            r"message 2 \(user\), line 2 .*inputs has no 'questoin'; it has: question, items",
        ),
        ("a\n\n{{ inputs['questoin'] }}", "line 3 .*inputs has no 'questoin'"),
        ("{{ inptus.question }}", "line 1 .*'inptus' is undefined"),
        ("{% for x in nothing %}{% endfor %}", "'nothing' is undefined"),
        ("{{ 1 / 0 }}", "division by zero"),
    ],
)
def test_what_is_not_there_is_named_with_its_line(source: str, message: str):
    with pytest.raises(UsageError, match=message):
        render(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ inputs.__class__ }}",
        "{{ inputs._values }}",
        "{{ inputs.explain_missing.__globals__ }}",
        "{{ range(10 ** 9) }}",
    ],
)
def test_a_template_cannot_reach_out(source: str):
    with pytest.raises(UsageError):
        render(source)


def test_a_template_that_is_not_well_formed_fails_when_it_is_compiled():
    with pytest.raises(UsageError, match=r"message 1 \(system\), line 2, is not well-formed"):
        compile_template("a\n{% if x %}", "message 1 (system)")


def test_optional_names_can_be_asked_for():
    assert (
        render("{{ inputs.nope is defined }} {{ inputs.nope | default('-') }} {{ inputs.get('nope', '?') }}")
        == "False - ?"
    )
