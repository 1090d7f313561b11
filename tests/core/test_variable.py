import json
import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dspx
from dspx.core.variable import Variable, variable_from_json
from dspx.errors import ConfigurationError

LM = dspx.LM("openai/gpt-4o-mini", api_key="none")


@st.composite
def searched(draw):
    kind = draw(st.sampled_from(["float", "log", "grid", "integer", "log integer", "bool", "choice"]))
    low = draw(st.integers(-50, 50))
    high = low + draw(st.integers(0, 100))
    step = draw(st.integers(1, 7))
    if kind == "float":
        return dspx.Float("v", low / 7, high / 7, low / 7)
    if kind == "log":
        return dspx.Float("v", 10.0**-step, 10.0, 1.0, log=True)
    if kind == "grid":
        return dspx.Float("v", low / 10, high / 10, low / 10, step=step / 10)
    if kind == "integer":
        return dspx.Integer("v", low, high, low, step=step)
    if kind == "log integer":
        return dspx.Integer("v", step, step + 1000, step, log=True)
    if kind == "bool":
        return dspx.Bool("v")
    return dspx.Choice("v", draw(st.lists(st.integers() | st.text(), min_size=1, unique=True)))


@given(searched(), st.integers(0, 2**32))
def test_what_is_sampled_or_mutated_is_a_value_of_the_variable(variable: Variable, seed: int):
    rng = Random(seed)
    value = variable.sample(rng)
    assert variable.check(value) == value
    for _ in range(5):
        value = variable.mutate(value, rng)
        assert variable.check(value) == value


@given(searched())
def test_places_from_0_to_1_reach_the_whole_range(variable: Variable):
    values = [variable.at(place / 1024) for place in range(1024)]
    if variable.cardinality < 100:
        assert len(set(values)) == variable.cardinality or getattr(variable, "log", False)
    assert variable.check(variable.at(math.nextafter(1.0, 0.0))) is not None


@given(searched())
def test_a_definition_survives_json(variable: Variable):
    assert variable_from_json(json.loads(json.dumps(variable.to_json()))) == variable


@pytest.mark.parametrize(
    "variable",
    [
        dspx.Text("t", "be brief", binding="answer.instructions"),
        dspx.Demos("d", [dspx.Example(question="q", answer="a")]),
        dspx.Embedding("e", 3, [1, 2, 3]),
        dspx.Tensor("m", (2, 2)),
        dspx.Probability("p", 0.25),
    ],
    ids=lambda variable: variable.kind,
)
def test_definitions_of_what_is_set_survive_json_too(variable):
    assert variable_from_json(json.loads(json.dumps(variable.to_json()))) == variable


def test_what_is_made_of_code_says_so_when_it_is_read_back():
    modules = dspx.Choice.of_modules("how", [dspx.Predict, dspx.ChainOfThought])
    for variable in (
        modules,
        dspx.Derived("d", len, ["t"]),
        dspx.Bool("b", binding=lambda on: {"answer.instructions": "x"}),
    ):
        with pytest.raises(ConfigurationError, match="made of code"):
            variable_from_json(variable.to_json())


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (dspx.Float("t", 0, 1, 0.5), 2, "is a number from 0.0 to 1.0, not 2"),
        (dspx.Float("t", 0, 1, 0.5), True, "is a number"),
        (dspx.Float("t", 0, 1, 0.5), math.nan, "is a number"),
        (dspx.Float("t", 0, 1, 0.5), "0.5", "not '0.5'"),
        (dspx.Float("t", 0, 1, 0.5, step=0.25), 0.3, "in steps of 0.25"),
        (dspx.Integer("n", 1, 9, 1, step=2), 2, "in steps of 2"),
        (dspx.Integer("n", 1, 9, 1), 2.0, "whole number"),
        (dspx.Bool("b"), 1, "True or False"),
        (dspx.Choice("c", ["a", "b"]), "z", r"one of \['a', 'b'\]"),
        (dspx.Choice("c", [0, 1]), False, "one of"),
        (dspx.Text("x"), 3, "is a text"),
        (dspx.Demos("d"), "demo", "list of examples"),
        (dspx.Demos("d"), [1], "one of them is 1"),
        (dspx.Embedding("e", 3), [1, 2], "array of 3 finite"),
        (dspx.Tensor("m", (2, 2)), [[1, 2], [3, math.inf]], "2×2"),
        (dspx.Derived("d", len, ["x"]), 3, "computed from"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_in_words(variable, value, said):
    with pytest.raises(ValueError, match=said):
        variable.check(value)


def test_numbers_on_a_grid_come_out_round():
    assert dspx.Float("t", 0, 1, 0.3, step=0.1).check(0.1 + 0.2) == 0.3


def test_an_option_is_known_by_its_key_and_may_be_given_itself():
    choice = dspx.Choice("lm", [LM, None, 3, dspx.Predict])
    assert choice.keys == ["openai/gpt-4o-mini", None, 3, "Predict"]
    assert choice.check(LM) == "openai/gpt-4o-mini"
    assert choice.resolve("openai/gpt-4o-mini") is LM
    assert dspx.Choice("lm", {"small": LM}).check("small") == "small"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: dspx.Choice("c", []), "no options"),
        (lambda: dspx.Choice("c", ["a", "a"]), "the same key"),
        (lambda: dspx.Choice("c", [True, 1]), "the same key"),
        (lambda: dspx.Choice("c", [lambda: 1]), "no name of its own"),
        (lambda: dspx.Choice("c", [{"a": 1}]), "no name of its own"),
        (lambda: dspx.Choice("c", ["a"], default="b"), "default of 'c' does not fit"),
        (lambda: dspx.Choice.of_modules("c", ["a"]), "no class or function"),
        (lambda: dspx.Float("t", 1, 0, 0.5), "low is above high"),
        (lambda: dspx.Float("t", 0, 1, 2), "default of 't' does not fit"),
        (lambda: dspx.Float("t", 0, 1, 0.5, step=0), "step of 't' is above 0"),
        (lambda: dspx.Float("t", 0, 1, 0.5, log=True), "low must be above 0"),
        (lambda: dspx.Float("t", 0, math.inf, 0.5), "is a number, not inf"),
        (lambda: dspx.Float("t", 1, 3, 1, step=1, log=True), "both log=True and a step"),
        (lambda: dspx.Integer("n", 1, 9, 1, step=2, log=True), "both log=True and a step"),
        (lambda: dspx.Integer("n", 0.5, 9, 1), "low of 'n' is a whole number"),
        (lambda: dspx.Tensor("m", (0,)), "shape of 'm'"),
        (lambda: dspx.Text(""), "name is a text"),
        (lambda: dspx.Bool("b", binding=[1]), "bound to paths"),
        (lambda: dspx.Bool("b", binding=lambda v: {}).bind("x"), "bound by a function already"),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused(make, said):
    with pytest.raises(ConfigurationError, match=said):
        make()


def test_a_float_moves_by_about_15_percent_of_its_range():
    rng, variable = Random(0), dspx.Float("t", 0, 100, 50)
    moves = [variable.mutate(50.0, rng) - 50 for _ in range(4000)]
    assert abs(np.mean(moves)) < 1
    assert np.std(moves) == pytest.approx(15, rel=0.05)


def test_integers_and_grids_move_by_at_least_one_step_and_choices_jump():
    rng = Random(0)
    assert {dspx.Integer("n", 0, 9, 3, step=3).mutate(3, rng) for _ in range(50)} == {0, 6}
    assert {dspx.Integer("n", 0, 9, 0).mutate(0, rng) for _ in range(9)} == {1}
    assert all(dspx.Float("t", 0, 10, 5, step=5).mutate(5.0, rng) != 5.0 for _ in range(50))
    assert {dspx.Choice("c", "abc").mutate("a", rng) for _ in range(50)} == {"b", "c"}
    assert dspx.Bool("b").mutate(True, rng) is False


def test_what_there_is_to_search():
    assert dspx.Float("t", 0.1, 1, 1, log=True).dimension.log
    assert dspx.Float("t", 0, 1, 0, step=0.3).dimension.high == 0.9
    assert dspx.Integer("n", 0, 9, 0, step=4).dimension.high == 8
    assert dspx.Choice("c", "abc").dimension.options == 3
    assert dspx.Bool("b").dimension.is_category
    assert dspx.Text("x").dimension is None
    assert dspx.Embedding("e", 3).dimension is None


def test_cardinality_counts_values():
    assert dspx.Float("t", 0, 1, 0).cardinality == math.inf
    assert dspx.Float("t", 0, 1, 0, step=0.25).cardinality == 5
    assert dspx.Integer("n", 1, 9, 1, step=2).cardinality == 5
    assert dspx.Choice("c", "abc").cardinality == 3
    assert dspx.Text("x").cardinality == 1


def test_an_array_is_read_only():
    value = dspx.Embedding("e", 2).check([1, 2])
    with pytest.raises(ValueError, match="read-only"):
        value[0] = 3.0


def test_variables_are_values():
    one = dspx.Float("t", 0, 1, 0.5)
    assert one == dspx.Float("t", 0, 1, 0.5)
    assert one != one.bind("*.lm.temperature")
    assert hash(one) == hash(dspx.Float("t", 0, 1, 0.5))
    assert one.bind("a.b", "c").bind("d").binding == ("a.b", "c", "d")
    with pytest.raises(AttributeError):
        one.low = 3
