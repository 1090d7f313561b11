"""A prompt laid out by the user."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest

import dspx
from dspx.adapters.template import TemplateAdapter
from dspx.errors import AdapterParseError, UsageError
from dspx.lm.request import Request
from dspx.lm.response import Output, Response


class Scripted(dspx.BaseLM):
    """Gives these texts, one per call, and keeps what it was asked."""

    def __init__(self, *texts: str) -> None:
        super().__init__("test/scripted")
        self.texts = list(texts)
        self.asked: list[Request] = []

    async def generate(self, request: Request) -> Response:
        self.asked.append(request)
        return Response(self.model, (Output(text=self.texts.pop(0)),))


class QA(dspx.Signature):
    """Answer the question."""

    question: str = dspx.InputField(desc="what is asked")
    pages: list[str] = dspx.InputField()
    answer: str = dspx.OutputField()
    score: float = dspx.OutputField(ge=0, desc="0 to 1")


INPUTS: dict[str, Any] = {"question": "Why {{ x }} <b>?", "pages": ["p1", "ü"]}
DEMO = {"question": "q", "pages": ["p"], "answer": "a", "score": 1.0}
USER = {"role": "user", "content": "{{ inputs.question }}"}


def content(template: str, signature: Any = QA, inputs: Any = INPUTS, demos: Any = (), **options: Any) -> Any:
    adapter = TemplateAdapter([{"role": "user", "content": template}], **options)
    return adapter.format(signature, demos, inputs)[0]["content"]


def test_messages_are_laid_out_as_told():
    adapter = TemplateAdapter(
        [
            {
                "role": "system",
                "content": "{{ instructions }}\n{% for f in outputs.values() %}\n- {{ f.name }}\n{% endfor %}",
            },
            {"role": "user", "content": "Q: {{ inputs.question }}\nPages: {{ inputs.pages }}"},
        ]
    )
    assert adapter.format(QA, [], INPUTS) == [
        {"role": "system", "content": "Answer the question.\n- answer\n- score"},
        {"role": "user", "content": 'Q: Why {{ x }} <b>?\nPages: ["p1", "ü"]'},
    ]


def test_values_can_be_used_as_they_are():
    assert (
        content("{% for page in values.pages %}<{{ page }}>{% endfor %} {{ values.pages | length }}")
        == "<p1><ü> 2"
    )


def test_fields_say_what_they_are():
    assert content("{{ fields.question.description }} {{ fields.pages.type }}") == "what is asked list[str]"
    assert content("{{ outputs.score.constraints }}; {{ outputs.score.schema }}") == (
        'greater than or equal to: 0; {"type": "number"}'
    )


def test_the_texts_of_the_reading_adapter_are_at_hand():
    assert content("{{ format.requirements }}", parse="json").startswith("Respond with a JSON object")
    assert content("{{ format.requirements }}", parse="xml").startswith(
        "Respond with the corresponding output fields wrapped"
    )
    assert "[[ ## answer ## ]]" in content("{{ format.structure }}")
    assert content("{{ format.descriptions }}").startswith("Your input fields are:")
    assert "Answer the question." in content("{{ format.task }}")


def test_demos_are_repeated_messages():
    adapter = TemplateAdapter(
        [
            {"demos": [
                {"role": "user", "content": "{{ demo.inputs.question }}{% if not demo.complete %} (part){% endif %}"},
                {"role": "assistant", "content": "{{ demo.answer }}"},
            ]},
            USER,
        ],
        parse="json",
    )  # fmt: skip
    gaps = dspx.Example(question="half", answer="h")
    messages = adapter.format(QA, [DEMO, gaps, {"question": "no output"}], INPUTS)
    assert [message["content"] for message in messages] == [
        "half (part)",
        '{\n  "answer": "h",\n  "score": "Not supplied for this particular example. "\n}',
        "q",
        '{\n  "answer": "a",\n  "score": 1.0\n}',
        INPUTS["question"],
    ]


def test_demos_can_stand_in_one_message():
    template = "{% for demo in demos %}{{ demo.inputs.question }} → {{ demo.outputs.answer }} ({{ demo.values.score }});{% endfor %}"
    assert content(template, demos=[DEMO, dspx.Example(**DEMO)]) == "q → a (1.0);q → a (1.0);"


def test_the_history_is_repeated_messages():
    class Talk(dspx.Signature):
        past: dspx.History = dspx.InputField()
        question: str = dspx.InputField()
        answer: str = dspx.OutputField()

    adapter = TemplateAdapter(
        [
            {"history": [
                {"role": "user", "content": "{{ turn.inputs.question }}"},
                {"role": "assistant", "content": "{{ turn.outputs.answer }}"},
            ]},
            USER,
        ]
    )  # fmt: skip
    past = dspx.History(messages=[{"question": "q1", "answer": "a1"}])
    expected = ["q1", "a1", "now"]
    assert [m["content"] for m in adapter.format(Talk, [], {"past": past, "question": "now"})] == expected
    assert [
        m["content"] for m in adapter.format(Talk, [], {"past": past.messages, "question": "now"})
    ] == expected
    assert [m["content"] for m in adapter.format(Talk, [], {"question": "now"})] == ["now"]
    with pytest.raises(UsageError, match="History"):
        adapter.format(Talk, [], {"past": "q1", "question": "now"})


def test_pictures_become_content_blocks():
    signature = dspx.Signature("picture: Image, q -> a", custom_types={"Image": dspx.Image})
    url = "https://example.com/x.png"
    picture = {"type": "image_url", "image_url": {"url": url}}
    inputs = {"picture": dspx.Image(url), "q": "what?"}
    assert content("Look: {{ inputs.picture }}", signature, inputs) == [
        {"type": "text", "text": "Look: "},
        picture,
    ]
    adapter = TemplateAdapter(
        [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "{{ inputs.q }}"},
                    picture,
                    {"type": "text", "text": ""},
                ],
            }
        ]
    )
    assert adapter.format(signature, [], inputs)[0]["content"] == [{"type": "text", "text": "what?"}, picture]


def test_a_message_that_is_empty_is_left_out():
    adapter = TemplateAdapter(
        [{"role": "system", "content": "{% if demos %}Look at the examples.{% endif %}"}, USER]
    )
    assert [m["role"] for m in adapter.format(QA, [], INPUTS)] == ["user"]
    with pytest.raises(UsageError, match="no message at all"):
        TemplateAdapter([{"role": "user", "content": " "}]).format(QA, [], INPUTS)


def test_a_mistake_is_named_with_message_line_and_what_there_is():
    adapter = TemplateAdapter([USER, {"role": "user", "content": "Q:\n{{ inputs.questoin }}"}])
    with pytest.raises(UsageError, match=r"message 2 \(user\), line 2 .*'questoin'; it has: question, pages"):
        adapter.format(QA, [], INPUTS)
    adapter = TemplateAdapter([{"demos": [{"role": "user", "content": "{{ demo.inputs.nope }}"}]}, USER])
    with pytest.raises(UsageError, match=r"message 1\.1 \(user\), line 1 .*demo\.inputs has no 'nope'"):
        adapter.format(QA, [DEMO], INPUTS)


@pytest.mark.parametrize("entry", [{"role": "user"}, {"content": "x"}, "text", {"demos": [{"role": "user"}]}])
def test_an_entry_of_another_shape_is_refused(entry: Any):
    with pytest.raises(UsageError, match=r"message 1.* must be"):
        TemplateAdapter([entry])


def test_inputs_are_never_templates():
    assert (
        content("{{ inputs.question }}", inputs={"question": "{{ instructions }}{% for %}"})
        == "{{ instructions }}{% for %}"
    )


@pytest.mark.parametrize(
    ("parse", "completion"),
    [
        ("chat", "[[ ## answer ## ]]\na\n[[ ## score ## ]]\n0.5\n[[ ## completed ## ]]"),
        ("json", '{"answer": "a", "score": 0.5}'),
        ("xml", "<answer>a</answer><score>0.5</score>"),
        (dspx.JSONAdapter(), '{"answer": "a", "score": 0.5}'),
        (lambda text: dict(zip(["answer", "score"], text.split("|"), strict=True)), "a|0.5"),
    ],
)
def test_answers_are_read_as_told(parse: Any, completion: str):
    adapter = TemplateAdapter([USER], parse=parse)
    lm = Scripted(completion)
    assert adapter(lm, {"temperature": 0.0}, QA, [], INPUTS) == [{"answer": "a", "score": 0.5}]
    assert lm.asked[0].messages == [{"role": "user", "content": INPUTS["question"]}]
    assert lm.asked[0].params["temperature"] == 0.0


def test_a_raw_answer_is_the_only_output():
    adapter = TemplateAdapter([{"role": "user", "content": "{{ inputs.q }}"}], parse="raw")
    assert adapter(Scripted(" All of it.\n"), {}, dspx.Signature("q -> a"), [], {"q": "?"}) == [
        {"a": " All of it.\n"}
    ]
    assert adapter(Scripted(" 7 "), {}, dspx.Signature("q -> n: int"), [], {"q": "?"}) == [{"n": 7}]
    with pytest.raises(UsageError, match="2 outputs"):
        adapter.parse(QA, "x")


def test_a_function_may_give_the_only_output():
    adapter = TemplateAdapter([USER], parse=lambda text: text.split("=")[1])
    assert adapter.parse(dspx.Signature("q -> n: int"), "n=3") == {"n": 3}
    assert TemplateAdapter([USER], parse=lambda text: {"x": 1}).parse(dspx.Signature("q -> d: dict"), "") == {
        "d": {"x": 1}
    }


def test_a_function_that_fails_makes_the_answer_unreadable():
    adapter = TemplateAdapter([USER], parse=lambda text: text.split("=")[1])
    signature = dspx.Signature("question -> n: int")
    with pytest.raises(AdapterParseError, match="IndexError"):
        adapter.parse(signature, "3")
    with pytest.raises(AdapterParseError, match="`n` could not be read"):
        adapter.parse(signature, "n=x")
    with pytest.raises(AdapterParseError, match="has no `score`"):
        TemplateAdapter([USER], parse=lambda text: {"answer": text}).parse(QA, "a")
    lm = Scripted("three", "n=3")
    assert adapter(lm, {}, signature, [], {"question": "?"}) == [{"n": 3}]
    assert "IndexError" in lm.asked[1].messages[-1]["content"]


def test_json_answers_are_held_to_the_schema():
    class Capable(Scripted):
        supports_response_schema = True  # type: ignore[assignment]
        supported_params = {"response_format"}  # type: ignore[assignment]

    lm = Capable('{"answer": "a", "score": 0.5}')
    TemplateAdapter([USER], parse="json")(lm, {}, QA, [], INPUTS)
    assert lm.asked[0].params["response_format"]["type"] == "json_schema"


def test_two_templates_for_one_signature_keep_apart():
    one, two = (content("{{ format.requirements }}", parse=parse) for parse in ("json", "xml"))
    assert one != two


def test_unknown_readers_are_refused():
    with pytest.raises(UsageError, match=r"'chat', 'json', 'xml', 'raw'"):
        TemplateAdapter([USER], parse="yaml")


def test_an_adapter_without_prompt_texts_may_read():
    class Upper(dspx.Adapter):
        def parse(self, signature: Any, completion: str) -> dict[str, Any]:
            return {"a": completion.upper()}

    adapter = TemplateAdapter(
        [{"role": "user", "content": "{{ inputs.q }}{{ format.structure }}"}], parse=Upper()
    )
    assert adapter(Scripted("x"), {}, dspx.Signature("q -> a"), [], {"q": "?"}) == [{"a": "X"}]


def test_a_stream_is_read_like_the_answer():
    raw = TemplateAdapter([USER], parse="raw").field_stream(dspx.Signature("q -> a"))
    assert raw is not None
    assert [*raw.feed(" x"), *raw.feed("y\n"), *raw.close()] == [("a", " x"), ("a", "y\n")]
    assert TemplateAdapter([USER], parse="json").field_stream(QA) is not None
    assert TemplateAdapter([USER], parse=str.upper).field_stream(QA) is None


def test_it_is_async_and_can_be_copied():
    adapter = copy.deepcopy(TemplateAdapter([USER], parse="json"))
    call = adapter.acall(Scripted('{"answer": "a", "score": 1}'), {}, QA, [], INPUTS)
    assert asyncio.run(call) == [{"answer": "a", "score": 1.0}]


def test_finetuning_data_ends_with_the_answer():
    data = TemplateAdapter([USER], parse="raw").format_finetune_data(
        dspx.Signature("question -> a"), [], {"question": "?"}, {"a": "x"}
    )
    assert data == {"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": "x"}]}
