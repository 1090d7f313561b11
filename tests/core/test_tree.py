import pytest

import dspx
from dspx.core.tree import set_part


class Program(dspx.Module):
    def __init__(self):
        self.one = dspx.Predict("q -> a")
        self.many = [dspx.Predict("q -> a"), Inner()]
        self.named = {"k": dspx.Predict("x -> y"), "it's": dspx.Predict("x -> y")}
        self.again = self.one


class Inner(dspx.Module):
    def __init__(self):
        self.leaf = dspx.Predict("x -> y")


NAMES = ["one", "many[0]", "many[1].leaf", "named['k']", 'named["it\'s"]']


def test_leaves_are_named_by_their_path_and_each_is_found_once():
    assert [name for name, _ in Program().named_predictors()] == NAMES


def test_a_leaf_is_replaced_wherever_it_stands():
    program = Program()
    for name, _ in program.named_predictors():
        new = dspx.Predict("a -> b")
        set_part(program, name, new)
        assert dict(program.named_predictors())[name if name != "one" else "one"] is new


def test_a_frozen_part_keeps_its_leaves_to_itself():
    program = Program()
    program.many[1]._compiled = True
    assert "many[1].leaf" not in dict(program.named_predictors())


def test_a_leaf_by_itself_is_self():
    assert [name for name, _ in dspx.Predict("q -> a").named_predictors()] == ["self"]


def test_sub_modules_come_breadth_first():
    names = [name for name, _ in Program().named_sub_modules()]
    assert names == [
        "self",
        "self.one",
        "self.many[0]",
        "self.many[1]",
        "self.named[k]",
        "self.named[it's]",
        "self.many[1].leaf",
    ]


def test_predictors_are_mapped_in_place():
    program = Program()
    del program.again
    program.map_named_predictors(lambda leaf: dspx.Predict(leaf.signature.with_instructions("New.")))
    assert {leaf.signature.instructions for leaf in program.predictors()} == {"New."}


def test_a_part_in_a_tuple_is_replaced_too():
    program = dspx.Module()
    program.pair = (dspx.Predict("q -> a"), dspx.Predict("q -> a"))
    new = dspx.Predict("x -> y")
    set_part(program, "pair[1]", new)
    assert program.pair[1] is new


def test_what_is_not_a_path_is_refused():
    with pytest.raises(ValueError, match="not a path"):
        set_part(Program(), "one two", None)
