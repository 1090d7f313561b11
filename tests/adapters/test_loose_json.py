import pytest

from dspx.adapters import loose_json


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('Here it is: {"a": 1}. Enjoy {}.', {"a": 1}),
        ('{"a": 1} {"a": 2}', {"a": 2}),
        ('{"a": 1,}', {"a": 1}),
        ("{'a': None, 'b': True}", {"a": None, "b": True}),
        ("{a: 1}", {"a": 1}),
        ('{"a": [1, 2', {"a": [1, 2]}),
        ("('x', 1)", ("x", 1)),
        ("{1, 2}", {1, 2}),
        ('Hello {name}, {"a": 1}', {"a": 1}),
        ('<think>{"x": 0}</think>{"a": 1,}', {"a": 1}),
    ],
)
def test_what_was_meant_is_among_the_readings(text, meant):
    assert meant in list(loose_json.candidates(text))


def test_the_whole_of_a_broken_object_comes_before_its_parts():
    assert next(loose_json.candidates('[{"a": {"b": 1}}, {"a": {"b": 2')) == [
        {"a": {"b": 1}},
        {"a": {"b": 2}},
    ]


def test_prose_has_no_reading():
    assert list(loose_json.candidates("The answer is 42, as you know.")) == []


def test_nothing_is_run():
    assert list(loose_json.candidates("__import__('os').getcwd()")) == []
    assert list(loose_json.candidates("[1, print('x')]")) == [[1, "print('x')"]]


@pytest.mark.parametrize("text", ["[" * 100_000, "{" * 100_000, '{"a":' * 20_000, "(" * 5_000, "[{" * 10_000])
def test_hostile_nesting_does_no_harm(text):
    try:
        loose_json.strict(text)
    except ValueError:
        pass
    for _ in loose_json.candidates(text):
        pass


def test_odd_escapes_give_no_warnings():
    assert {"a": "\\d+"} in list(loose_json.candidates(r"{'a': '\d+'}"))
