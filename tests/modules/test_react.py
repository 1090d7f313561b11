import asyncio
import threading

import pytest

import dspx
from dspx.core.candidate import LeafValues, ToolValues, bound
from dspx.errors import (
    AgentError,
    BudgetExhausted,
    ContextWindowExceededError,
    LMServerError,
    ToolApprovalError,
    UsageError,
)
from dspx.lm.base import BaseLM
from dspx.lm.response import Output, Response
from dspx.runtime import clock
from dspx.streaming import Final, Observed, Thought, ToolCalled, stream_sync
from dspx.testing import ScriptedLM
from dspx.tools import Edited, Refused, Tool
from tests.loops import in_a_loop
from tests.modules.agents import answer, step


def search(query: str, limit: int = 2) -> list[str]:
    """Search the archive."""
    return [f"{query} {number}" for number in range(limit)]


def fail(why: str) -> str:
    """Fails."""
    raise RuntimeError(why)


async def fetch(number: int) -> int:
    """Fetch a number."""
    await asyncio.sleep(0)
    return number + 1


def ask(*answers, tools=(search, fail, fetch), call=None, **settings):
    """The prediction of an agent with these tools, and the LM that gave these answers."""
    lm = ScriptedLM(answers)
    agent = dspx.ReAct("question -> answer", tools=list(tools), **settings)
    with dspx.context(lm=lm):
        return agent(question="Which owls?", **(call or {})), lm


FINISH = (step("finish", "I know."), answer("barn owls"))


# ---------------------------------------------------------------- steps


def test_it_thinks_acts_observes_and_answers():
    prediction, lm = ask(step("search", "Look.", query="owls"), *FINISH)
    assert prediction.answer == "barn owls"
    assert prediction.reasoning == "So."
    assert prediction.termination_reason == "finish"
    assert prediction.trajectory == {
        "thought_0": "Look.",
        "tool_name_0": "search",
        "tool_args_0": {"query": "owls"},
        "observation_0": ["owls 0", "owls 1"],
        "thought_1": "I know.",
        "tool_name_1": "finish",
        "tool_args_1": {},
        "observation_1": "Completed.",
    }
    assert "[1] «owls 0»\n[2] «owls 1»" in lm.prompts[1]
    assert '[[ ## tool_args_0 ## ]]\n{"query": "owls"}' in lm.prompts[2]
    assert "over_budget" not in prediction


def test_the_prompt_says_what_there_is_and_what_to_do():
    agent = dspx.ReAct(dspx.Signature("question -> answer", "Answer about birds."), tools=[search])
    instructions = agent.react.signature.instructions
    assert instructions.startswith("Answer about birds.\n")
    assert f"(1) {agent.tools['search']}" in instructions
    assert "(2) finish, whose description is <desc>" in instructions
    for name in ("question", "trajectory", "answer", "next_thought", "next_tool_name", "next_tool_args"):
        assert f"`{name}`" in instructions
    assert list(agent.react.signature.fields) == [
        "question", "trajectory", "next_thought", "next_tool_name", "next_tool_args",
    ]  # fmt: skip
    assert agent.extract.predict.signature.instructions == "Answer about birds."
    assert [name for name, _ in agent.named_predictors()] == ["react", "extract.predict"]


def test_it_stops_after_so_many_steps_and_a_call_may_say_how_many():
    again = [step("search", query="owls")] * 3
    prediction, lm = ask(*again, answer("some"), max_iters=3)
    assert prediction.termination_reason == "max_iters"
    assert len(lm.requests) == 4
    prediction, lm = ask(again[0], answer("some"), max_iters=3, call={"max_iters": 1})
    assert len(lm.requests) == 2
    prediction, lm = ask(answer("none"), call={"max_iters": 0})
    assert prediction.trajectory == {}


@pytest.mark.parametrize("args", [{}, {"anything": 1}])
def test_finish_takes_whatever_is_given(args):
    prediction, _ = ask(step("finish", **args), answer())
    assert prediction.trajectory["observation_0"] == "Completed."


# ---------------------------------------------------------------- what goes wrong


def test_a_failing_tool_is_observed_with_the_users_lines_and_no_folders():
    prediction, _ = ask(step("fail", why="no network"), *FINISH)
    seen = prediction.trajectory["observation_0"]
    assert seen.startswith("Execution error in fail: \nTraceback (most recent call last):\n")
    assert 'File "test_react.py"' in seen
    assert "raise RuntimeError(why)" in seen
    assert seen.endswith("RuntimeError: no network")
    assert "tool_loop.py" not in seen


def test_wrong_arguments_are_observed_in_a_sentence():
    prediction, _ = ask(step("search", page=3), step("search"), *FINISH)
    assert prediction.trajectory["observation_0"] == (
        "Execution error in search: Arg page is not in the tool's args. search takes ['query', 'limit']."
    )
    assert prediction.trajectory["observation_1"].startswith(
        "Execution error in search: Arg query is missing"
    )


def test_a_step_that_cannot_be_read_ends_the_steps_and_not_the_answer():
    prediction, lm = ask(step("search", query="owls"), "hm", "hm", answer("some"))
    assert prediction.answer == "some"
    assert prediction.termination_reason == "unreadable"
    assert len(prediction.trajectory) == 4


def test_an_lm_that_fails_fails_the_agent():
    with pytest.raises(LMServerError):
        ask(LMServerError("down"))
    with pytest.raises(UsageError, match="No LM is loaded"):
        dspx.ReAct("question -> answer", tools=[search])(question="q", lm=None)


def test_an_exhausted_budget_inside_a_tool_is_no_observation():
    def spend() -> str:
        raise BudgetExhausted("no money left", limit="cost")

    with pytest.raises(BudgetExhausted):
        ask(step("spend"), tools=[spend])


def test_names_that_mean_something_to_the_agent_are_refused():
    for signature in ("trajectory -> answer", "question -> trajectory", "question -> termination_reason"):
        with pytest.raises(UsageError, match="other names"):
            dspx.ReAct(signature, tools=[])


class Small(BaseLM):
    """A model that takes only so many steps in its context."""

    def __init__(self, most, answers):
        super().__init__("small")
        self.most, self.answers, self.refused = most, iter(answers), 0

    async def generate(self, request):
        if str(request.messages[-1]["content"]).count("[[ ## thought_") > self.most:
            self.refused += 1
            raise ContextWindowExceededError("too long")
        return Response("small", (Output(next(self.answers)),))


def run_small(most, *answers, agent=None):
    lm = Small(most, answers)
    with dspx.context(lm=lm):
        return (agent or dspx.ReAct("question -> answer", tools=[search]))(question="q"), lm


def test_a_trajectory_too_long_for_the_model_loses_its_oldest_call():
    looks = [step("search", query=str(number)) for number in range(3)]
    prediction, lm = run_small(2, *looks, *FINISH)
    assert [name for name in prediction.trajectory if name.startswith("thought")] == [
        "thought_2",
        "thought_3",
    ]
    assert lm.refused == 2
    assert prediction.termination_reason == "finish"


def test_a_single_call_that_is_too_long_ends_the_steps():
    class Tiny(Small):
        async def generate(self, request):
            if "next_thought" in str(request.messages[0]["content"]) and "thought_0" in str(
                request.messages[-1]
            ):
                raise ContextWindowExceededError("too long")
            return Response("small", (Output(next(self.answers)),))

    with dspx.context(lm=Tiny(9, [step("search", query="q"), answer("some")])):
        prediction = dspx.ReAct("question -> answer", tools=[search])(question="q")
    assert prediction.termination_reason == "context_window"
    assert prediction.answer == "some"


def test_how_to_shorten_can_be_overridden():
    class Agent(dspx.ReAct):
        def truncate_trajectory(self, trajectory):
            return {name: value for name, value in trajectory.items() if name.startswith("observation")}

    agent = Agent("question -> answer", tools=[search])
    looks = [step("search", query=str(number)) for number in range(3)]
    prediction, _ = run_small(1, *looks, *FINISH, agent=agent)
    assert "observation_0" in prediction.trajectory
    assert "thought_0" not in prediction.trajectory


# ---------------------------------------------------------------- approval


def test_an_agents_hook_is_asked_of_every_tool_but_finish():
    asked = []

    def approve(tool, args):
        asked.append(tool.name)
        if args.get("query") == "secrets":
            return Refused("That is private.")
        return Edited({"query": "owls", "limit": 1})

    prediction, _ = ask(step("search", query="secrets"), step("search", query="x"), *FINISH, approve=approve)
    assert prediction.trajectory["observation_0"] == "search was not run: That is private."
    assert prediction.trajectory["observation_1"] == ["owls 0"]
    assert asked == ["search", "search"]


def test_a_tools_own_hook_is_asked_inside_an_agent_too():
    guarded = Tool(search, approve=lambda tool, args: False)
    prediction, _ = ask(step("search", query="x"), *FINISH, tools=[guarded])
    assert prediction.trajectory["observation_0"] == "search was not run: It was not approved."


def test_where_nobody_can_be_asked_nothing_runs():
    def approve(tool, args):
        raise ConnectionError("nobody there")

    with pytest.raises(ToolApprovalError, match="nobody there"):
        ask(step("search", query="x"), *FINISH, approve=approve)


# ---------------------------------------------------------------- budget


def test_tool_calls_are_limited_and_the_answer_comes_from_what_is_known():
    prediction, lm = ask(*[step("search", query="x")] * 2, answer("some"), max_tool_calls=2)
    assert prediction.answer == "some"
    assert prediction.termination_reason == "over_budget"
    assert prediction.over_budget == "max_tool_calls=2"


def test_of_the_lms_calls_the_last_is_kept_for_the_answer():
    prediction, lm = ask(*[step("search", query="x")] * 2, answer("some"), max_lm_calls=3)
    assert len(lm.requests) == 3
    assert prediction.over_budget == "max_lm_calls=3"
    prediction, lm = ask("hm", step("search", query="x"), answer("some"), max_lm_calls=3)
    assert len(lm.requests) == 3  # a second try is a call too


def test_no_step_begins_when_time_is_up():
    def slow(query: str) -> str:
        fake.advance(10)
        return query

    with clock.use(clock.FakeClock()) as fake:
        prediction, _ = ask(*[step("slow", query="x")] * 2, answer("some"), tools=[slow], max_seconds=15)
    assert prediction.over_budget == "max_seconds=15"
    assert len(prediction.trajectory) == 8


@pytest.mark.parametrize("limit", [{"max_tool_calls": -1}, {"max_lm_calls": 0}, {"max_seconds": -1}])
def test_a_limit_that_makes_no_sense_is_refused(limit):
    with pytest.raises(UsageError, match="the least is"):
        dspx.ReAct("question -> answer", tools=[], **limit)


# ---------------------------------------------------------------- tunable texts


def test_bound_descriptions_stand_in_the_prompt_of_that_call():
    agent = dspx.ReAct("question -> answer", tools=[search])
    lm = ScriptedLM([*FINISH, *FINISH, *FINISH])
    tool = agent.tools["search"]
    with dspx.context(lm=lm):
        with bound.using({id(tool): ToolValues(desc="Look birds up.")}):
            agent(question="q")
        with bound.using(
            {
                id(tool): ToolValues(arg_desc={"query": "one word"}),
                id(agent.react): LeafValues(instructions="Be quick."),
            }
        ):
            agent(question="q")
        agent(question="q")
    systems = [request.messages[0]["content"] for request in lm.requests]
    assert "<desc>Look birds up.</desc>" in systems[0]
    assert "<desc>Search the archive.</desc>" not in systems[0]
    assert "Be quick." in systems[2]
    assert "'description': 'one word'" in systems[2]
    assert "<desc>Search the archive.</desc>" in systems[4]


# ---------------------------------------------------------------- calling it in every way


@in_a_loop
async def test_an_async_call_awaits_async_tools_and_runs_sync_ones():
    lm = ScriptedLM([step("fetch", number=1), step("search", query="x"), *FINISH])
    agent = dspx.ReAct("question -> answer", tools=[search, fetch])
    with dspx.context(lm=lm):
        prediction = await agent.acall(question="q")
    assert prediction.trajectory["observation_0"] == 2
    assert prediction.trajectory["observation_1"] == ["x 0", "x 1"]


def test_a_sync_call_runs_async_tools():
    prediction, _ = ask(step("fetch", number=1), *FINISH)
    assert prediction.trajectory["observation_0"] == 2


def test_a_hundred_calls_of_one_agent_at_once_keep_their_steps_apart():
    def answer_by_question(request):
        text = str(request.messages[-1]["content"])
        number = text.split("question ## ]]\n")[1].split("\n")[0]
        if "next_thought" not in text:
            return answer(number)
        return step("finish") if f"looked for {number}" in text else step("look", what=number)

    meeting = threading.Barrier(20, timeout=30)

    def look(what: str) -> str:
        meeting.wait()
        return f"looked for {what}"

    agent = dspx.ReAct("question -> answer", tools=[look])
    examples = [dspx.Example(question=f"n{number}").with_inputs("question") for number in range(100)]
    with dspx.context(lm=ScriptedLM(answer_by_question)):
        predictions = agent.batch(examples, num_threads=20, disable_progress_bar=True)
    for number, prediction in enumerate(predictions):
        assert prediction.answer == f"n{number}"
        assert prediction.trajectory["observation_0"] == f"looked for n{number}"
        assert len(prediction.trajectory) == 8


def test_its_steps_are_events_of_a_stream():
    class Desk(dspx.Module):
        def __init__(self):
            self.agent = dspx.ReAct("question -> answer", tools=[search, fail])

        def forward(self, question):
            return self.agent(question=question)

    lm = ScriptedLM([step("search", "Look.", query="owls"), step("fail", why="x"), *FINISH])
    with dspx.context(lm=lm):
        events = list(stream_sync(Desk(), question="q"))
    told = [event for event in events if isinstance(event, (Thought, ToolCalled, Observed))]
    assert told[:3] == [
        Thought("agent", 0, "Look."),
        ToolCalled("agent", 0, "search", {"query": "owls"}),
        Observed("agent", 0, "search", ["owls 0", "owls 1"]),
    ]
    assert told[5].is_error
    assert told[-1] == Observed("agent", 2, "finish", "Completed.")
    assert isinstance(events[-1], Final)
    before = events.index(told[0])
    assert any(getattr(event, "field", "") == "next_thought" for event in events[:before])


def test_without_a_stream_nobody_hears_of_steps():
    prediction, _ = ask(*FINISH)
    assert prediction.answer == "barn owls"


def test_a_copy_is_an_agent_of_its_own():
    agent = dspx.ReAct("question -> answer", tools=[search])
    copied = agent.deepcopy()
    copied.tools["search"].desc = "Other."
    with dspx.context(lm=ScriptedLM([step("search", query="x"), *FINISH])):
        assert copied(question="q").trajectory["observation_0"] == ["x 0", "x 1"]
    assert agent.tools["search"].desc == "Search the archive."


def test_agent_errors_are_value_errors():
    assert issubclass(AgentError, ValueError)
