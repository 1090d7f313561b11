"""Code, taken out of what surrounds it."""

from __future__ import annotations

import pydantic
import pytest

from dspx.content.code import Code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x", "x"),
        ("  x\n", "  x\n"),
        ("```python\nx\n```", "x"),
        ("```\n\n  x  \n\n```", "x"),
        ("Here:\n```c++\nx\n```\nDone.", "x"),
        ("text ```py\na\n``` and ```py\nb\n```", "a"),
        ("```python\na\n```\n```python\nb\n```", "a"),
        ("``` a ```", "a"),
        ("```python a```", "python a"),
        ("````\na\n````", "a"),
        ("```python\r\na\r\n```", "a"),
        ("inline `x`", "inline `x`"),
        ("```python\ndef f():\n    return 1", "def f():\n    return 1"),
        ("```\n    def f():\n        return 1\n```", "def f():\n    return 1"),
        ('```python\nx = "```"\ny = 1\n```', 'x = "```"\ny = 1'),
    ],
)
def test_the_first_fenced_block_is_the_code(text: str, code: str):
    assert Code(code=text).code == code
    assert pydantic.TypeAdapter(Code).validate_python(text).code == code


def test_a_language_is_a_class_of_its_own_and_always_the_same():
    java = Code["java"]
    assert java is Code["java"]
    assert java is not Code["Java"]
    assert issubclass(java, Code)
    assert (java.language, Code.language, java.__name__) == ("java", "python", "Code_java")
    assert "```java" in java.description()
    assert java(code="x").code == "x"


def test_code_of_another_language_is_taken_over():
    java = pydantic.TypeAdapter(Code["java"]).validate_python(Code(code="x"))
    assert type(java) is Code["java"]


@pytest.mark.parametrize("value", [3, None, {"x": "y"}, {"code": 3}])
def test_other_values_are_refused(value: object):
    with pytest.raises(pydantic.ValidationError):
        pydantic.TypeAdapter(Code).validate_python(value)


def test_it_renders_as_the_code():
    assert Code(code="x").format() == Code(code="x").model_dump() == "x"
    assert Code(code="x").model_dump_json() == '"x"'
