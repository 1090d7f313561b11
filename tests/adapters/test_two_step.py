"""Two steps: a free answer, then its fields."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

import dspx
from dspx.adapters.two_step import TwoStepAdapter
from dspx.errors import AdapterParseError, UsageError
from dspx.lm.request import Request
from dspx.lm.response import Output, Response
from tests.golden import cases


class Scripted(dspx.BaseLM):
    """Gives these outputs, one list per call, and keeps what it was asked."""

    def __init__(self, *calls: Any, **kwargs: Any) -> None:
        super().__init__("test/scripted", **kwargs)
        self.calls = list(calls)
        self.asked: list[Request] = []

    async def generate(self, request: Request) -> Response:
        self.asked.append(request)
        outputs = self.calls.pop(0)
        return Response(self.model, tuple(o if isinstance(o, Output) else Output(text=o) for o in outputs))


def chat(**fields: Any) -> str:
    return "\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in fields.items())


CASES = {case.name: case for case in cases.cases(dspx) if "two_step" in case.adapters}
# DSPy sends the marker's text, or what Python prints, in the place of pictures, files, documents and code
CONTENT_LOST_BY_DSPY = {
    *(
        f"content_image_{name}"
        for name in ("url", "url_keyword", "data_uri", "gs", "list", "dict", "optional")
    ),
    *(f"content_image_{name}" for name in ("nested", "nested_list", "in_str_field", "demos", "two")),
    *("content_audio", "content_audio_data", "content_file_id", "content_file_data", "content_file_bytes"),
    *(
        "content_code",
        "content_code_java",
        "content_document",
        "content_document_full",
        "content_document_list",
    ),
    *(f"content_demo_output_{name}" for name in ("code", "code_java", "code_list")),
    "history_with_image",
}


@pytest.mark.parametrize("name", [name for name in CASES if name not in CONTENT_LOST_BY_DSPY])
def test_the_free_prompt_is_dspys(name: str):
    if "int_enum" in name and sys.version_info < (3, 11):
        pytest.skip("an IntEnum prints as its name before Python 3.11")
    case = CASES[name]
    messages = TwoStepAdapter(Scripted()).format(case.signature, case.demos, case.inputs)
    assert messages == cases.expected("two_step", name)["messages"]


@pytest.mark.parametrize("name", CASES)
def test_the_extraction_prompt_is_dspys(name: str):
    case, extraction = CASES[name], Scripted(["…"])
    adapter = TwoStepAdapter(extraction, ask_again=False)
    try:
        adapter(Scripted(["Some free text."]), {}, case.signature, case.demos, case.inputs)
    except AdapterParseError:
        pass  # there is nothing to read in the scripted answer
    assert extraction.asked[0].messages == cases.expected("two_step", name)["extraction_messages"]


@pytest.mark.parametrize("name", sorted(CONTENT_LOST_BY_DSPY - {"history_with_image"}))
def test_content_reaches_the_model(name: str):
    case = CASES[name]
    messages = TwoStepAdapter(Scripted()).format(case.signature, case.demos, case.inputs)
    text = repr(messages)
    assert "CUSTOM-TYPE" not in text
    assert "code=" not in text
    if "code" not in name:
        assert any(block["type"] != "text" for block in messages[-1]["content"])


def test_the_values_are_read_by_the_second_model():
    extraction = Scripted([chat(answer="Paris", score="0.9")], [chat(answer="Rome", score="0.1")])
    lm = Scripted(["I think it is Paris.", "Rome, maybe."])
    values = TwoStepAdapter(extraction)(
        lm,
        {"n": 2, "temperature": 1.0},
        dspx.Signature("question -> answer, score: float"),
        [],
        {"question": "?"},
    )
    assert values == [{"answer": "Paris", "score": 0.9}, {"answer": "Rome", "score": 0.1}]
    assert lm.asked[0].params == {"n": 2, "temperature": 1.0}
    assert "I think it is Paris." in extraction.asked[0].messages[-1]["content"]
    assert "n" not in extraction.asked[0].params


def test_async_calls_are_the_same():
    adapter = TwoStepAdapter(Scripted([chat(answer="Paris")]))
    call = adapter.acall(
        Scripted(["Paris."]), {}, dspx.Signature("question -> answer"), [], {"question": "?"}
    )
    assert asyncio.run(call) == [{"answer": "Paris"}]


def test_an_extraction_that_cannot_be_read_is_asked_for_again():
    extraction = Scripted(["no fields here"], ['{"answer": "Paris", "score": 1}'])
    adapter = TwoStepAdapter(extraction)
    signature = dspx.Signature("question -> answer, score: int")
    answer = asyncio.run(adapter.ask(Scripted(["Paris."]), {}, signature, [], {"question": "?"}))
    assert answer.values == [{"answer": "Paris", "score": 1}]
    assert answer.reasked


def test_one_completion_that_cannot_be_read_leaves_the_others():
    signature = dspx.Signature("question -> answer, score: int")
    extraction = Scripted(["?"], [chat(answer="b", score=2)])
    answer = asyncio.run(
        TwoStepAdapter(extraction, ask_again=False).ask(
            Scripted(["x", "y"]), {}, signature, [], {"question": "?"}
        )
    )
    assert answer.values == [{"answer": "b", "score": 2}]
    assert answer.problem is not None


def test_an_empty_answer_is_not_extracted():
    with pytest.raises(AdapterParseError, match="empty"):
        TwoStepAdapter(Scripted())(Scripted([None]), {}, dspx.Signature("q -> a"), [], {"q": "?"})


def test_reasoning_and_logprobs_come_from_the_first_model():
    class Reasoner(Scripted):
        supports_reasoning = True  # type: ignore[assignment]

    signature = dspx.Signature("q -> a").prepend("reasoning", dspx.OutputField(), dspx.Reasoning)
    lm = Reasoner([Output(text="Paris.", reasoning="because", logprobs=["l"])])
    (values,) = TwoStepAdapter(Scripted([chat(a="Paris")]))(lm, {}, signature, [], {"q": "?"})
    assert values == {"reasoning": "because", "a": "Paris", "logprobs": ["l"]}
    assert list(values)[:2] == ["reasoning", "a"]
    assert lm.asked[0].params["reasoning_effort"] == "low"


def test_parse_asks_the_extraction_model():
    assert TwoStepAdapter(Scripted([chat(a="x")])).parse(dspx.Signature("q -> a"), "It is x.") == {"a": "x"}


def test_the_extraction_model_must_be_an_lm():
    with pytest.raises(UsageError, match="extraction_model must be an LM"):
        TwoStepAdapter("openai/gpt-4o-mini")
