import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

import dspx
from dspx.errors import ConfigurationError, UsageError
from dspx.runtime import clock
from dspx.store import ExecutionLog, Store, VersionConflict
from dspx.testing.scripted import ScriptedLM


class Answer(dspx.Module):
    def __init__(self):
        self.answer = dspx.Predict("question -> answer")
        self.passages = 1

    def forward(self, question):
        return self.answer(question=f"{question} {self.passages}")


def told(request):
    return f"[[ ## answer ## ]]\n{request.params.get('temperature')}\n\n[[ ## completed ## ]]"


@pytest.fixture
def lm():
    lm = ScriptedLM(told)
    dspx.configure(lm=lm)
    return lm


def space_of(program):
    return dspx.Space(
        program,
        [
            dspx.Float("temperature", 0.0, 1.0, 0.5).bind("*.lm.temperature"),
            dspx.Integer("passages", 1, 9, 3).bind("passages"),
        ],
        constraints=[lambda c: c["temperature"] < 0.9 or c["passages"] == 1],
    )


@pytest.fixture
def store():
    with Store("memory://") as store:
        yield store


@pytest.fixture
def program():
    return Answer()


def test_each_call_runs_under_the_version_committed_last(store, program, lm):
    live = store.bind(program, space_of(program))
    assert live(question="?").answer == "0.5"
    store.commit("Answer", {"temperature": 0.1}, expect_version=0)
    said = live(question="?")
    assert said.answer == "0.1"
    assert said.get_configuration() == {"space": "Answer", "version": 1}
    assert "? 3" in lm.prompts[-1]
    assert program.passages == 1


def test_it_looks_again_after_some_seconds_only_where_told_so(store, program, lm):
    with clock.use(clock.FakeClock()) as fake:
        live = store.bind(program, space_of(program), "qa", every=10)
        assert live(question="?").get_configuration()["version"] == 0
        store.commit("qa", {"temperature": 0.1}, expect_version=0)
        assert live(question="?").answer == "0.5"
        fake.advance(10)
        assert live(question="?").answer == "0.1"
        assert live.version == 1


def test_a_block_keeps_the_version_that_it_began_with(store, program, lm):
    live = store.bind(program, space_of(program), "qa")
    with live.using() as here:
        store.commit("qa", {"temperature": 0.1}, expect_version=0)
        assert program(question="?").answer == "0.5"
    assert here.version == 0
    assert live(question="?").answer == "0.1"


def test_a_commit_changes_what_it_names_and_is_checked_as_a_whole(store, program, lm):
    live = store.bind(program, space_of(program), "qa")
    assert live.commit({"temperature": 0.2}).version == 1
    assert live.commit({"passages": 4}).version == 2
    assert (live.values["temperature"], live.values["passages"]) == (0.2, 4)
    assert store.spaces.find("qa").definition["name"] == "Answer"
    with pytest.raises(ConfigurationError, match="constraint 1"):
        live.commit({"temperature": 0.95})
    with pytest.raises(ConfigurationError, match="no variable"):
        live.commit({"temprature": 0.1})
    assert live.version == 2


def test_a_stale_commit_is_a_conflict(store, program, lm):
    space = space_of(program)
    mine, theirs = (store.bind(program, space, "qa", every=60) for _ in range(2))
    assert mine.version == theirs.version == 0
    theirs.commit({"temperature": 0.2})
    with pytest.raises(VersionConflict) as conflict:
        mine.commit({"passages": 4})
    assert conflict.value.found == 1
    assert mine.refresh().values["temperature"] == 0.2
    assert mine.commit({"passages": 4}).version == 2


def test_a_stored_configuration_that_does_not_fit_any_more_is_an_error(store, program, lm):
    store.commit("qa", {"temperature": 0.2, "style": "terse"}, expect_version=0)
    with pytest.raises(ConfigurationError, match="Version 1 of configuration 'qa' does not fit this program"):
        store.bind(program, space_of(program), "qa")(question="?")
    with pytest.raises(UsageError, match="every=-1"):
        store.bind(program, space_of(program), every=-1)


def test_executions_say_which_configuration_they_ran_under(store, program, lm):
    live = store.bind(program, space_of(program), "qa")
    live.commit({"temperature": 0.2})
    log = ExecutionLog(store.executions, program="qa")
    outside = log.start({"question": "?"})
    log.finish(outside, live(question="?"))
    with live.using():
        inside = log.start({"question": "?"})
        log.finish(inside, {"answer": "!"})
    for execution in (outside, inside):
        assert store.executions.find(execution.id).configuration == {"space": "qa", "version": 1}


def test_threads_and_tasks_see_changes_too(store, program, lm):
    live = store.bind(program, space_of(program), "qa")
    live.commit({"temperature": 0.2})
    with ThreadPoolExecutor(4) as pool:
        assert {said.answer for said in pool.map(lambda _: live(question="?"), range(20))} == {"0.2"}
    live.commit({"temperature": 0.3})

    async def main():
        return await asyncio.gather(*(live.acall(question="?") for _ in range(20)))

    assert {said.answer for said in asyncio.run(main())} == {"0.3"}


def test_the_leaves_inside_are_found(store, program, lm):
    live = store.bind(program, space_of(program))
    assert [name for name, _ in live.named_predictors()] == ["program.answer"]
