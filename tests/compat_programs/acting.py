"""Portable programs: tools, agents, conversations with tool calls."""

import asyncio
import json
import re

from tests.compat_programs.observing import chat, part, program, scripted


def search(query: str, limit: int = 2) -> list[str]:
    """Search the archive."""
    return [f"{query} {number}" for number in range(limit)]


def fail(why: str) -> str:
    """Fails."""
    raise RuntimeError(why)


async def fetch(number: int) -> int:
    """Fetch a number."""
    return number + 1


def step(tool, thought="go on", **args):
    return chat(next_thought=thought, next_tool_name=tool, next_tool_args=json.dumps(args))


def turn(*calls, thought="go on"):
    made = [{"name": name, "args": args} for name, args in calls]
    return chat(next_thought=thought, tool_calls=json.dumps({"tool_calls": made}))


def first_line(trajectory):
    """A trajectory less the lines of code in its errors."""
    return {
        name: value.split("\n")[0].strip() if isinstance(value, str) and "Execution error" in value else value
        for name, value in trajectory.items()
    }


def outputs(prediction, *names):
    return {name: prediction[name] for name in names}


@program
def tools_of_functions(dspy, notes):
    for function in (search, fetch, fail):
        tool = dspy.Tool(function)
        notes(function.__name__, [tool.name, tool.desc, tool.args, str(tool), repr(tool)])
        notes(f"{function.__name__} for models", tool.format_as_litellm_function_call())
    tool = dspy.Tool(search, name="find", desc="Find it.", arg_desc={"query": "what to look for"})
    notes("described", [tool.name, tool.desc, tool.args])
    notes("called", tool(query="owls"))
    notes("awaited", asyncio.run(dspy.Tool(fetch).acall(number=1)))
    notes("sync function awaited", asyncio.run(tool.acall(query="owls", limit=1)))
    notes.raises("unknown argument", lambda: tool(query="owls", page=2))
    notes.raises("wrong type", lambda: tool(query=3))
    notes.raises("no number", lambda: tool(query="a", limit="many"))
    plain = dspy.Tool(lambda x: x, name="same", desc="The same.", args={"x": {"type": "integer"}})
    notes("from a lambda", [plain(x=3), plain.format_as_litellm_function_call()])
    notes("any keywords", dspy.Tool(lambda **rest: rest, name="rest")(a=1, b=2))
    with dspy.context(allow_tool_async_sync_conversion=True):
        notes("async from sync", dspy.Tool(fetch)(number=1))


@program
def tool_calls_and_results(dspy, notes):
    calls = dspy.ToolCalls.from_dict_list(
        [{"name": "search", "args": {"query": "owls"}}, {"name": "fail", "args": {"why": "w"}}]
    )
    notes("calls", calls)
    notes("format", calls.format())
    for written in (
        [{"type": "function", "id": "c1", "function": {"name": "search", "arguments": '{"query": "x"}'}}],
        {"name": "search", "args": {"query": "x"}},
        {"tool_calls": [{"name": "search", "args": '{"query": "x"'}]},
    ):
        read = dspy.ToolCalls.model_validate(written)
        notes("read", [[call.id, call.name, call.args] for call in read.tool_calls])
    notes.raises("no calls", lambda: dspy.ToolCalls.model_validate("search"))
    notes("executed", calls.tool_calls[0].execute([dspy.Tool(search)]))
    notes("executed by name", calls.tool_calls[0].execute({"search": search}))
    notes.raises("unknown", lambda: calls.tool_calls[0].execute({}))
    notes.raises("failed", lambda: calls.tool_calls[1].execute({"fail": fail}))
    results = dspy.ToolCallResults.from_tool_calls_and_values(calls, [["a"], "no"], [False, True])
    notes("results", results)
    notes.raises("too few", lambda: dspy.ToolCallResults.from_tool_calls_and_values(calls, [1]))


@program
def tools_as_fields(dspy, notes):
    tool = part(dspy, "adapters.types.tool").Tool

    class Choose(dspy.Signature):
        """Choose a tool."""

        question: str = dspy.InputField()
        tools: list[tool] = dspy.InputField()
        calls: dspy.ToolCalls = dspy.OutputField()

    lm = scripted(dspy, [chat(calls='[{"name": "search", "args": {"query": "owls"}}]')])
    with dspy.context(lm=lm):
        prediction = dspy.Predict(Choose)(question="Which owls?", tools=[dspy.Tool(search), dspy.Tool(fail)])
    notes("calls", prediction.calls)
    notes("executed", [call.execute([dspy.Tool(search)]) for call in prediction.calls.tool_calls])
    notes("prompt", lm.prompts())


@program
def react_agent(dspy, notes):
    answers = [
        step("search", "look", query="owls"),
        step("fail", why="no network"),
        step("search", page=3),
        step("finish", "enough"),
        chat(reasoning="because", answer="barn owls"),
    ]
    lm = scripted(dspy, answers)
    agent = dspy.ReAct("question -> answer", tools=[search, fail])
    notes("tools", list(agent.tools))
    notes("predictors", [name for name, _ in agent.named_predictors()])
    notes("signatures", [agent.react.signature.signature, agent.extract.predict.signature.signature])
    with dspy.context(lm=lm):
        prediction = agent(question="Which owls?")
    notes("outputs", outputs(prediction, "reasoning", "answer"))
    notes("trajectory", first_line(dict(list(prediction.trajectory.items())[:8])))
    notes("steps", list(prediction.trajectory))
    notes("questions", [messages[1]["content"] for messages, _ in lm.sent[:2]])
    notes("last observation", prediction.trajectory["observation_3"])
    notes("state", sorted(agent.dump_state()))


@program
def react_agent_out_of_steps(dspy, notes):
    lm = scripted(
        dspy, [step("search", query="a"), step("search", query="b"), chat(reasoning="r", answer="x")]
    )
    agent = dspy.ReAct("question -> answer: str", tools=[search], max_iters=5)
    with dspy.context(lm=lm):
        prediction = agent(question="q", max_iters=2)
    notes("trajectory", prediction.trajectory)
    notes("answer", prediction.answer)
    notes("max_iters", agent.max_iters)


@program
def react_agent_awaited(dspy, notes):
    lm = scripted(dspy, [step("fetch", number=1), step("finish"), chat(reasoning="r", answer="2")])

    async def main():
        return await dspy.ReAct("question -> answer: int", tools=[fetch]).acall(question="q")

    with dspy.context(lm=lm):
        prediction = asyncio.run(main())
    notes("prediction", outputs(prediction, "answer", "trajectory"))


@program
def react_agent_that_shortens(dspy, notes):
    full = part(dspy, "utils.exceptions").ContextWindowExceededError

    def answers(messages):
        text = messages[-1]["content"]
        if "next_thought" not in messages[0]["content"]:
            return chat(reasoning="r", answer="x")
        if text.count("[[ ## thought_") > 2:
            raise full()
        return step("search", query="a") if "thought_2" not in text else step("finish")

    agent = dspy.ReAct("question -> answer", tools=[search])
    with dspy.context(lm=scripted(dspy, answers), adapter=dspy.ChatAdapter(use_json_adapter_fallback=False)):
        notes("steps", list(agent(question="q").trajectory))
    notes("truncated", agent.truncate_trajectory({f"{part}_{n}": n for n in range(2) for part in "abcd"}))
    notes.raises("too short", lambda: agent.truncate_trajectory({"a": 1}))


@program
def react_agent_with_callbacks(dspy, notes):
    heard = []

    class Listener(part(dspy, "utils.callback").BaseCallback):
        def on_tool_start(self, call_id, instance, inputs):
            heard.append([instance.name, inputs])

        def on_tool_end(self, call_id, outputs, exception=None):
            heard.append([outputs, type(exception).__name__])

    lm = scripted(dspy, [step("search", query="a"), step("finish"), chat(reasoning="r", answer="x")])
    with dspy.context(lm=lm, callbacks=[Listener()]):
        dspy.ReAct("question -> answer", tools=[search])(question="q")
    notes("heard", heard)


@program
def react_v2_agent(dspy, notes):
    agent = dspy.ReActV2("question -> answer: int, why", tools=[search, fail])
    notes("tools", list(agent.tools))
    notes("signature", agent.react.signature.signature)
    talk = dspy.History(messages=[])
    answers = [
        turn(("search", {"query": "owls"}), ("nope", {})),
        turn(("submit", {"answer": "x"})),
        turn(("submit", {"answer": 3, "why": "counted"})),
    ]
    lm = scripted(dspy, answers)
    with dspy.context(lm=lm):
        prediction = agent(question="How many?", history=talk)
    notes("prediction", outputs(prediction, "answer", "why", "termination_reason"))
    notes("same history", prediction.history is talk)
    notes("events", [list(event) for event in talk.messages])
    notes("ids", [[call.id for call in event["tool_calls"].tool_calls] for event in talk.messages])
    results = [event["tool_calls"].tool_call_results.tool_call_results for event in talk.messages]
    notes("errors", [[result.is_error for result in each] for each in results])
    notes("values", [results[0][0].value, results[2][0].value])
    notes("second prompt", [message["content"][:60] for message in lm.sent[1][0][1:3]])


@program
def react_v2_agent_forced(dspy, notes):
    lm = scripted(dspy, [turn(("search", {"query": "a"})), turn(("submit", {"answer": "x"}))])
    with dspy.context(lm=lm):
        prediction = dspy.ReActV2("question -> answer", tools=[search])(question="q", max_iters=1)
    notes("forced", outputs(prediction, "answer", "termination_reason"))
    notes("events", [list(event) for event in prediction.history.messages])
    with dspy.context(lm=scripted(dspy, [chat(next_thought="hm", tool_calls="[]")])):
        notes.raises("nothing", lambda: dspy.ReActV2("question -> answer", tools=[search])(question="q"))
    for signature in ("question -> history", "tools -> answer"):
        notes.raises(signature, lambda signature=signature: dspy.ReActV2(signature, tools=[search]))


@program
def a_conversation_with_tool_calls(dspy, notes):
    calls = dspy.ToolCalls.from_dict_list([{"id": "c1", "name": "search", "args": {"query": "owls"}}])
    calls.tool_call_results = dspy.ToolCallResults.from_tool_calls_and_values(calls, [["barn owl"]])

    class Ask(dspy.Signature):
        """Answer."""

        question: str = dspy.InputField()
        history: dspy.History = dspy.InputField()
        answer: str = dspy.OutputField()
        tool_calls: dspy.ToolCalls = dspy.OutputField()

    past = dspy.History(messages=[{"question": "Which?", "answer": "Look.", "tool_calls": calls}])
    lm = scripted(dspy, [chat(answer="a", tool_calls="[]")])
    with dspy.context(lm=lm):
        dspy.Predict(Ask)(question="And now?", history=past)
    notes(
        "prompt",
        [[message["role"], re.sub(r"\s+", " ", message["content"])] for message in lm.sent[0][0][1:]],
    )
