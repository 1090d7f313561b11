import json
from concurrent.futures import ThreadPoolExecutor

import pytest

import dspx
from dspx.core.candidate import Candidate
from dspx.errors import UsageError
from dspx.testing import DummyLM


class Two(dspx.Module):
    def __init__(self):
        self.search = dspx.Predict("question -> query")
        self.answer = dspx.ChainOfThought("question, query -> answer")

    def forward(self, question):
        return self.answer(question=question, query=self.search(question=question).query)


DEMO = dspx.Example(question="Where is Lisbon?", query="Lisbon")


def test_a_program_has_instructions_and_demos_of_every_leaf():
    candidate = Two().candidate()
    assert list(candidate.values) == [
        "search.instructions",
        "search.demos",
        "answer.predict.instructions",
        "answer.predict.demos",
    ]
    assert candidate.instructions()["search"] == "Given the fields `question`, produce the fields `query`."


def test_equal_values_are_equal_and_have_one_hash():
    one, two = Two().candidate(), Two().candidate()
    assert one == two
    assert one.hash == two.hash
    assert one != one.with_instructions({"search": "Search."})
    assert len({one, two}) == 1


def test_it_survives_json():
    candidate = Two().candidate().with_demos({"search": [DEMO]})
    again = Candidate.from_json(json.loads(json.dumps(candidate.to_json())))
    assert again == candidate
    assert again["search.demos"][0].query == "Lisbon"


def test_installing_changes_the_program_and_binding_does_not():
    program = Two()
    before = program.candidate()
    candidate = before.with_instructions({"search": "Search."}).with_demos({"search": [DEMO]})
    with candidate.using(program):
        assert program.candidate() == before
    assert program.install(candidate).candidate() == candidate


def test_hundreds_of_candidates_run_at_once_on_one_program():
    class Echo(dspx.BaseLM):
        def forward(self, prompt=None, messages=None, **kwargs):
            said = messages[0]["content"].rpartition("objective is: ")[2].strip()
            return f"[[ ## query ## ]]\n{said}\n\n[[ ## completed ## ]]"

    program = dspx.Predict("question -> query")
    dspx.configure(lm=Echo("echo"))

    def ask(i):
        candidate = Candidate({"self.instructions": f"Say {i}."})
        with candidate.using(program):
            return program(question="?").query

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(200))) == [f"Say {i}." for i in range(200)]


def test_the_trace_names_the_programs_own_leaf():
    program = Two()
    candidate = program.candidate().with_instructions({"search": "Search."})
    lm = DummyLM([{"query": "q"}, {"reasoning": "r", "answer": "a"}])
    trace = []
    with dspx.context(lm=lm, trace=trace), candidate.using(program):
        program(question="?")
    assert [leaf for leaf, _, _ in trace] == [program.search, program.answer.predict]


def test_a_variable_that_the_program_has_not_is_refused_by_name():
    with pytest.raises(UsageError, match=r"no variable 'find\.demos'.*search"):
        Two().install(Candidate({"find.demos": []}))


def test_a_difference_names_both_values():
    before = Two().candidate()
    after = before.with_instructions({"search": "Search."})
    assert list(before.diff(after)) == ["search.instructions"]
    assert before.diff(after)["search.instructions"][1] == "Search."
    assert before.diff(before) == {}
