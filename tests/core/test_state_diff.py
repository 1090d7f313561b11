import dspx
from dspx.core.state import saved_state
from dspx.core.state_diff import diff_states


def diff(a, b):
    return diff_states(saved_state(a.dump_state()), saved_state(b.dump_state()))


def with_demos(*demos):
    leaf = dspx.Predict("question -> answer")
    leaf.demos = [dspx.Example(question=question, answer=answer) for question, answer in demos]
    return leaf


def test_equal_programs_do_not_differ():
    assert not diff(with_demos(("a", "b")), with_demos(("a", "b")))


def test_demos_are_added_removed_changed_or_only_moved():
    before, after = (
        with_demos(("a", "1"), ("b", "2"), ("c", "3")),
        with_demos(("a", "9"), ("c", "3"), ("d", "4")),
    )
    demos = diff(before, after).leaves["self"].demos
    assert demos.added == [{"question": "d", "answer": "4"}]
    assert demos.removed == [{"question": "b", "answer": "2"}]
    assert demos.changed == [({"question": "a", "answer": "1"}, {"question": "a", "answer": "9"})]
    moved = diff(with_demos(("a", "1"), ("b", "2")), with_demos(("b", "2"), ("a", "1"))).leaves["self"].demos
    assert moved.reordered
    assert not moved.added


def test_a_demo_that_is_there_twice_counts_twice():
    demos = diff(with_demos(("a", "1"), ("a", "1")), with_demos(("a", "1"))).leaves["self"].demos
    assert demos.removed == [{"question": "a", "answer": "1"}]


def test_instructions_differ_by_lines():
    before, after = with_demos(), with_demos()
    before.signature = before.signature.with_instructions("One.\nTwo.")
    after.signature = after.signature.with_instructions("One.\nThree.")
    assert diff(before, after).leaves["self"].instructions == ["@@ -1,2 +1,2 @@", " One.", "-Two.", "+Three."]


def test_where_two_equal_programs_come_from_is_a_difference_of_its_own():
    state = with_demos().dump_state()
    found = diff_states(
        saved_state({**state, "metadata": {"format": 2, "provenance": {"optimizer": "SIMBA"}}}),
        saved_state(state),
    )
    assert found.same_program
    assert found.provenance == {"optimizer": ("SIMBA", None)}
    assert found


def test_a_state_of_before_types_were_written_differs_in_nothing_by_that():
    new = with_demos(("a", "b")).dump_state()
    fields = [{"prefix": f["prefix"], "description": f["description"]} for f in new["signature"]["fields"]]
    old = {**new, "signature": {**new["signature"], "fields": fields}}
    assert not diff_states(saved_state(old), saved_state(new))
    assert not diff_states(saved_state(new), saved_state(old))
