import asyncio
import threading

import pytest

import dspx
from dspx.errors import AgentError, ContextWindowExceededError, ToolApprovalError, UsageError
from dspx.lm.facts import Facts
from dspx.lm.response import Output
from dspx.streaming import Observed, Thought, ToolCalled, stream_sync
from dspx.testing import ScriptedLM
from dspx.tools import Refused
from tests.loops import in_a_loop
from tests.modules.agents import fields, turn, written

CAN_CALL = Facts(supports_function_calling=True)
NATIVE = dspx.ChatAdapter(use_native_function_calling=True, use_json_adapter_fallback=False)


def search(query: str) -> list[str]:
    """Search the archive."""
    return [f"found {query}"]


def fail() -> str:
    """Fails."""
    raise RuntimeError("no network")


def submit(text="barn owls"):
    return ("submit", {"answer": text})


def ask(
    *answers, tools=(search, fail), adapter=NATIVE, facts=CAN_CALL, signature="question -> answer", **settings
):
    call = {name: settings.pop(name) for name in ("max_iters_here", "history") if name in settings}
    if "max_iters_here" in call:
        call["max_iters"] = call.pop("max_iters_here")
    lm = ScriptedLM(answers, facts=facts)
    agent = dspx.ReActV2(signature, tools=list(tools), **settings)
    with dspx.context(lm=lm, adapter=adapter):
        return agent(question="Which owls?", **call), lm


# ---------------------------------------------------------------- turns


def test_calls_run_their_results_go_back_and_the_outputs_are_handed_in():
    prediction, lm = ask(turn(("search", {"query": "owls"}), ("fail", {})), turn(submit()))
    assert prediction.answer == "barn owls"
    assert prediction.termination_reason == "submit"
    first, last = prediction.history.messages
    assert list(first) == ["question", "next_thought", "tool_calls"]
    assert list(last) == ["next_thought", "tool_calls", "answer"]
    results = first["tool_calls"].tool_call_results.tool_call_results
    assert [(r.call_id, r.name, r.is_error) for r in results] == [
        ("c0", "search", False),
        ("c1", "fail", True),
    ]
    assert results[0].value == ["found owls"]
    assert results[1].value.startswith("Execution error in fail: ")
    roles = [message["role"] for message in lm.requests[1].messages]
    assert roles == ["system", "user", "assistant", "tool", "tool", "user"]
    assert lm.requests[1].messages[3]["content"] == '["found owls"]'


def test_a_model_without_tool_calling_writes_its_calls():
    prediction, lm = ask(written(("search", {"query": "owls"})), written(submit()), facts=Facts())
    assert prediction.answer == "barn owls"
    assert prediction.history.messages[0]["tool_calls"].tool_calls[0].id == "call_0_0"
    assert "tools" not in lm.requests[0].params
    assert "search, whose description is" in lm.prompts[0]
    assert '"value": ["found owls"]' in str(lm.requests[1].messages[3]["content"])


def test_the_callers_history_goes_on():
    talk = dspx.History(messages=[])
    ask(turn(("search", {"query": "owls"})), turn(submit()), history=talk)
    prediction, lm = ask(turn(submit("in Europe")), history=talk)
    assert len(talk.messages) == 3
    assert prediction.history is talk
    assert lm.requests[0].messages[1]["content"].startswith("[[ ## question ## ]]\nWhich owls?")
    assert len(lm.requests[0].messages) == 7


def test_a_history_of_plain_data_is_taken_too():
    prediction, _ = ask(turn(submit()), history={"messages": [{"question": "q", "answer": "a"}]})
    assert len(prediction.history.messages) == 2


def test_a_trace_keeps_what_each_turn_was_asked():
    lm = ScriptedLM([turn(("search", {"query": "x"})), turn(submit())], facts=CAN_CALL)
    agent = dspx.ReActV2("question -> answer", tools=[search])
    with dspx.context(lm=lm, adapter=NATIVE, trace=[]):
        agent(question="q")
        steps = dspx.settings.trace
    assert [len(inputs["history"].messages) for _, inputs, _ in steps] == [0, 1]


def test_calls_of_one_turn_run_at_once_and_keep_their_order():
    meeting = threading.Barrier(3, timeout=30)

    def meet(name: str) -> str:
        meeting.wait()
        return name

    calls = [("meet", {"name": name}) for name in "abc"]
    prediction, _ = ask(turn(*calls), turn(submit()), tools=[meet])
    results = prediction.history.messages[0]["tool_calls"].tool_call_results.tool_call_results
    assert [result.value for result in results] == ["a", "b", "c"]


def test_calls_may_be_run_one_after_the_other():
    running = []

    def alone(name: str) -> str:
        running.append(threading.current_thread())
        return name

    calls = [("alone", {"name": name}) for name in "abc"]
    ask(turn(*calls), turn(submit()), tools=[alone], max_parallel_calls=1)
    assert set(running) == {threading.current_thread()}


@in_a_loop
async def test_an_async_call_runs_async_tools_side_by_side():
    both = asyncio.Event()
    waiting = []

    async def meet(name: str) -> str:
        waiting.append(name)
        if len(waiting) == 2:
            both.set()
        await asyncio.wait_for(both.wait(), 10)
        return name

    lm = ScriptedLM([turn(("meet", {"name": "a"}), ("meet", {"name": "b"})), turn(submit())], facts=CAN_CALL)
    agent = dspx.ReActV2("question -> answer", tools=[meet])
    with dspx.context(lm=lm, adapter=NATIVE):
        prediction = await agent.acall(question="q")
    assert prediction.answer == "barn owls"


def test_an_unknown_tool_is_an_error_to_learn_from():
    prediction, _ = ask(turn(("look", {})), turn(submit()))
    result = prediction.history.messages[0]["tool_calls"].tool_call_results.tool_call_results[0]
    assert result.is_error
    assert result.value.startswith("Unknown tool: look.")


# ---------------------------------------------------------------- handing in


def test_outputs_are_read_by_their_types():
    signature = "question -> answer: int, sure: bool, places: list[str]"
    handed = ("submit", {"answer": "1,200", "sure": "yes", "places": '["Porto"]'})
    prediction, _ = ask(turn(handed), signature=signature)
    assert (prediction.answer, prediction.sure, prediction.places) == (1200, True, ["Porto"])


def test_outputs_that_do_not_fit_are_sent_back():
    prediction, lm = ask(turn(("submit", {"answr": "x"})), turn(submit()))
    assert prediction.answer == "barn owls"
    assert "Arg answr is not in the tool's args" in lm.requests[1].messages[3]["content"]


def test_an_output_with_a_default_may_be_left_out():
    class Answer(dspx.Signature):
        question: str = dspx.InputField()
        answer: str = dspx.OutputField(desc="in a word")
        note: str = dspx.OutputField(default="none")

    prediction, lm = ask(turn(submit()), signature=Answer)
    assert prediction.note == "none"
    parameters = lm.requests[0].params["tools"][-1]["function"]["parameters"]
    assert parameters["required"] == ["answer"]
    assert parameters["properties"]["answer"]["description"] == "in a word"


# ---------------------------------------------------------------- being told to hand in


@pytest.mark.parametrize(
    "before",
    [
        [Output(fields(next_thought="I think so."))],
        [ContextWindowExceededError("too long")],
        [turn(("search", {"query": "x"}))],
    ],
    ids=["no calls", "full context", "no turns left"],
)
def test_a_model_that_gets_nowhere_is_told_to_hand_in(before):
    prediction, lm = ask(*before, turn(submit("so far")), max_iters=1)
    assert prediction.answer == "so far"
    assert prediction.termination_reason == "forced_submit"
    params = lm.requests[-1].params
    assert params["tool_choice"] == {"type": "function", "function": {"name": "submit"}}
    assert "reasoning_effort" not in params


def test_an_answer_that_cannot_be_read_twice_is_such_a_case():
    prediction, lm = ask("hm", "hm", written(submit("so far")), facts=Facts())
    assert prediction.termination_reason == "forced_submit"
    assert "tool_choice" not in lm.requests[-1].params


def test_a_history_too_long_for_the_model_is_shortened_for_the_last_call():
    looks = [turn(("search", {"query": str(number)})) for number in range(3)]
    full = ContextWindowExceededError("too long")
    prediction, lm = ask(*looks, full, full, turn(submit("so far")))
    assert prediction.answer == "so far"
    assert len(lm.requests[-1].messages) < len(lm.requests[-2].messages)
    assert len(prediction.history.messages) == 4  # nothing of the caller's is lost


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ([Output(fields(next_thought="no"))] * 2, "a turn without tool calls: no submit call"),
        ([Output(fields(next_thought="no")), turn(("submit", {}))], "Arg answer is missing"),
    ],
)
def test_where_nothing_is_handed_in_even_then_it_is_an_error_with_the_history(answers, says):
    with pytest.raises(AgentError, match=says) as caught:
        ask(*answers)
    assert isinstance(caught.value.history, dspx.History)


def test_a_call_may_say_how_many_turns():
    prediction, _ = ask(turn(("search", {"query": "x"})), turn(submit()), max_iters_here=1)
    assert prediction.termination_reason == "forced_submit"


# ---------------------------------------------------------------- budget and approval


def test_tool_calls_over_the_budget_are_not_run():
    calls = [("search", {"query": str(number)}) for number in range(3)]
    prediction, _ = ask(turn(*calls), turn(submit("so far")), max_tool_calls=2)
    results = prediction.history.messages[0]["tool_calls"].tool_call_results.tool_call_results
    assert [result.is_error for result in results] == [False, False, True]
    assert results[2].value.startswith("Not run")
    assert prediction.over_budget == "max_tool_calls=2"
    assert prediction.termination_reason == "forced_submit"


def test_the_last_call_of_the_lm_is_kept_for_handing_in():
    prediction, lm = ask(turn(("search", {"query": "x"})), turn(submit("so far")), max_lm_calls=2)
    assert len(lm.requests) == 2
    assert prediction.over_budget == "max_lm_calls=2"


def test_a_refusal_is_seen_and_submit_is_not_asked_about():
    asked = []

    def approve(tool, args):
        asked.append(tool.name)
        return Refused("not today")

    calls = turn(("search", {"query": "x"}), ("search", {"query": "y"}))
    prediction, _ = ask(calls, turn(submit()), approve=approve)
    results = prediction.history.messages[0]["tool_calls"].tool_call_results.tool_call_results
    assert [result.value for result in results] == ["search was not run: not today"] * 2
    assert asked == ["search", "search"]


def test_where_nobody_can_be_asked_the_agent_stops():
    with pytest.raises(ToolApprovalError):
        ask(turn(("search", {"query": "x"}), ("fail", {})), approve=lambda tool, args: None)


# ---------------------------------------------------------------- making one


@pytest.mark.parametrize(
    "signature",
    ["question -> history", "question -> termination_reason", "tools -> answer", "history -> answer"],
)
def test_reserved_names_are_refused(signature):
    with pytest.raises(UsageError, match="reserved by ReActV2"):
        dspx.ReActV2(signature, tools=[])


def test_a_tool_called_submit_is_refused():
    with pytest.raises(UsageError, match="rename yours"):
        dspx.ReActV2("question -> answer", tools=[dspx.Tool(search, name="submit")])


def test_its_signature_is_dspys():
    agent = dspx.ReActV2(dspx.Signature("question -> answer", "Answer about birds."), tools=[search])
    assert agent.react.signature.signature == "question, history, tools -> next_thought, tool_calls"
    assert agent.react.signature.instructions.startswith("Answer about birds.\n")
    assert list(agent.tools) == ["search", "submit"]
    assert [name for name, _ in agent.named_predictors()] == ["react"]


# ---------------------------------------------------------------- streaming, and over HTTP


def test_its_steps_are_events_of_a_stream():
    lm = ScriptedLM([turn(("search", {"query": "x"}), ("fail", {})), turn(submit())], facts=CAN_CALL)
    agent = dspx.ReActV2("question -> answer", tools=[search, fail], max_parallel_calls=1)
    with dspx.context(lm=lm, adapter=NATIVE):
        events = [
            e for e in stream_sync(agent, question="q") if isinstance(e, (Thought, ToolCalled, Observed))
        ]
    assert events[:3] == [
        Thought("self", 0, "Go on."),
        ToolCalled("self", 0, "search", {"query": "x"}, 0),
        Observed("self", 0, "search", ["found x"], False, 0),
    ]
    assert events[-1] == Observed("self", 1, "submit", {"answer": "barn owls"}, False, 0)


@pytest.mark.parametrize(
    "model", ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5", "gemini/gemini-2.0-flash"]
)
def test_every_providers_wire_carries_tools_calls_and_results(model):
    from dspx.testing import Server

    answers = iter(
        [
            {"text": fields(next_thought="Look."), "tool_calls": [{"id": "c1", "name": "search", "args": {"query": "owls"}}]},
            {"text": fields(next_thought="I know."), "tool_calls": [{"id": "c2", "name": "submit", "args": {"answer": "barn owls"}}]},
        ]
    )  # fmt: skip
    with Server(model=lambda request: next(answers)) as server:
        lm = server.lm(model, cache=False)
        with dspx.context(lm=lm, adapter=NATIVE):
            prediction = dspx.ReActV2("question -> answer", tools=[search])(question="Which owls?")
    assert prediction.answer == "barn owls"
    result = prediction.history.messages[0]["tool_calls"].tool_call_results.tool_call_results[0]
    assert result.value == ["found owls"]
