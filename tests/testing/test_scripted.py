from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

import dspx
from dspx.lm.response import Output, Response
from dspx.runtime import clock
from dspx.testing import ScriptedLM, check_lm
from dspx.testing.models.script import ScriptEnded


def test_it_keeps_the_contract_of_lms() -> None:
    check_lm(ScriptedLM(["hello"], repeat=True))


def test_it_says_what_it_was_told_and_keeps_what_it_was_asked() -> None:
    lm = ScriptedLM(["one", {"text": "two", "reasoning_content": "r"}, Response("m", (Output("three"),))])
    assert lm("a", temperature=0.5) == ["one"]
    assert lm("b") == [{"text": "two", "reasoning_content": "r"}]
    assert lm("c") == ["three"]
    assert lm.prompts == ["a", "b", "c"]
    assert lm.requests[0].params == {"temperature": 0.5}


def test_it_raises_what_it_was_told_to_raise() -> None:
    lm = ScriptedLM([dspx.LMRateLimitError("slow down"), "fine"])
    with pytest.raises(dspx.LMRateLimitError):
        lm("q")
    assert lm("q") == ["fine"]


def test_its_end_is_an_error() -> None:
    lm = ScriptedLM([])
    with pytest.raises(ScriptEnded):
        lm("q")


def test_a_function_answers_by_the_request() -> None:
    lm = ScriptedLM(lambda request: f"{len(request.messages)} messages")
    assert lm(messages=[{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]) == [
        "2 messages"
    ]


def test_latency_goes_by_on_the_clock() -> None:
    fake = clock.FakeClock()
    with clock.use(fake):
        ScriptedLM(["a"], latency=2.0)("q")
        asyncio.run(ScriptedLM(["a"], latency=lambda request: 3.0).acall("q"))
    assert fake.slept == [2.0, 3.0]


def test_threads_take_each_answer_once() -> None:
    lm = ScriptedLM([str(i) for i in range(200)])
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: lm("q")[0], range(200)))
    assert sorted(answers, key=int) == [str(i) for i in range(200)]


def test_n_completions_are_one_answer_or_a_list() -> None:
    lm = ScriptedLM(["same", ["a", "b"]])
    assert lm("q", n=2) == ["same", "same"]
    assert lm("q", n=2) == ["a", "b"]
