import dspx
from dspx.core.candidate import LeafValues, ToolValues, bound
from dspx.modules.rollout import another_rollout
from tests.scripted import ScriptedLM, scripted


class Two(dspx.Module):
    def __init__(self):
        self.plain = dspx.Predict("q -> a")
        self.cool = dspx.Predict("q -> a", temperature=0.1, rollout_id=7)


def test_each_leaf_counts_from_its_own_rollout_number_and_keeps_its_own_temperature():
    program = Two()
    program.plain.lm = ScriptedLM(rollout_id=40)
    values = another_rollout(program, 2, temperature=1.0)
    assert values[id(program.plain)].config == {"rollout_id": 42, "temperature": 1.0}
    assert values[id(program.cool)].config == {"rollout_id": 9}


def test_what_is_bound_already_stays_bound():
    program = Two()
    outer = {
        id(program.plain): LeafValues(instructions="Be brief.", config={"temperature": 0.5}),
        1: LeafValues(),
    }
    with bound.using(outer):
        values = another_rollout(program, 1, temperature=1.0)
    mine = values[id(program.plain)]
    assert (mine.instructions, mine.config) == ("Be brief.", {"temperature": 0.5, "rollout_id": 1})
    assert 1 in values


def test_rollouts_inside_rollouts_never_meet():
    program = Two()
    seen = set()
    for outer in range(3):
        with bound.using(another_rollout(program, outer)):
            for inner in range(3):
                seen.add(another_rollout(program, inner)[id(program.plain)].config["rollout_id"])
    assert len(seen) == 9


def test_the_call_is_made_with_it_and_the_program_is_as_it_was():
    program = Two()
    with scripted(lambda signature, inputs, config: {"a": config.get("rollout_id")}):
        with bound.using(another_rollout(program, 3)):
            assert program.plain(q="x").a == 3
        assert program.plain(q="x").a is None


def test_the_texts_of_tools_may_be_bound_too():
    program = Two()
    with bound.using({1: ToolValues(desc="Find passages.")}):
        values = another_rollout(program, 3)
    assert values[1] == ToolValues(desc="Find passages.")
    assert values[id(program.plain)].config == {"rollout_id": 3}
