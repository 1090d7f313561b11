import pytest
from pydantic import BaseModel

from dspx.adapters.chat import ChatAdapter
from dspx.adapters.json import JSONAdapter
from dspx.core import streams
from dspx.core.fields import InputField, OutputField
from dspx.core.signature import Signature
from dspx.errors import AdapterParseError
from tests.adapters.goldens import format_cases, parse_cases, parsed
from tests.adapters.scripted import ScriptedLM
from tests.golden import cases as grid

QA = Signature("question -> reasoning, answer")
ONE = Signature("question -> answer")
CASES = format_cases("chat")
PARSES = {case.name: case for case in parse_cases("chat")}

# Where DSPy's own result is a fault: it raises on these inputs,
DSPY_RAISES = {"str_given_list_numbers", "history_as_dict"}
# or reads something that nobody wrote.
READ_BETTER = {
    "value_decimal_0": {"value": {"__str__": "Decimal: 1.50"}},  # through a float, which costs digits
    "same_line_and_more": {"reasoning": "r\nr2", "answer": "a"},  # the end marker is no part of the answer
    "indented_markers": {"reasoning": "r", "answer": "a"},  # nor are the brackets of a marker
}
# Where DSPy gives up, and there is no doubt what was meant.
READ_TOLERANTLY = {
    "value_int_5": 1000, "value_bool_5": True, "value_list_str_6": ["1", "2"], "value_list_str_7": ["a", "b"],
    "value_list_int_4": [1], "value_literal_1": "positive", "value_literal_4": "positive", "value_literal_9": "positive",
    "value_literal_10": "positive", "value_enum_2": "Color.RED", "value_enum_5": "Color.RED", "value_enum_6": "Color.RED",
    "value_int_enum_0": "Level.LOW", "value_int_enum_3": "Level.LOW", "value_str_enum_2": "Mood.GLAD",
    "value_optional_int_3": None, "value_optional_int_4": None, "value_optional_int_6": None,
    "value_optional_literal_5": "a", "value_optional_enum_1": "Color.RED", "value_union_2": "3.5",
    "value_model_8": 36, "value_model_10": 36, "value_list_models_2": "b",
    "json_instead": {"reasoning": "r", "answer": "a"}, "wrong_case": {"reasoning": "r", "answer": "a"},
    "tight_markers": {"reasoning": "r", "answer": "a"}, "bold_markers": {"reasoning": "r", "answer": "a"},
}  # fmt: skip


# ---------------------------------------------------------------- prompts


@pytest.mark.parametrize("name", sorted(CASES.keys() - DSPY_RAISES))
def test_the_prompt_is_dspys_message_by_message(name):
    case = CASES[name]
    expected = grid.expected("chat", name)["messages"]
    adapter = ChatAdapter()
    assert adapter.format(case.signature, case.demos, dict(case.inputs)) == expected
    assert (
        adapter.format(case.signature, case.demos, dict(case.inputs)) == expected
    )  # from what is remembered


@pytest.mark.parametrize("name", sorted(DSPY_RAISES))
def test_what_dspy_cannot_format_is_formatted(name):
    case = CASES[name]
    assert "error" in grid.expected("chat", name)
    assert ChatAdapter().format(case.signature, case.demos, dict(case.inputs))[-1]["role"] == "user"


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize("name", sorted(PARSES))
def test_an_answer_is_read_as_dspy_reads_it_or_better(name):
    golden = grid.expected_parses("chat")[name]
    values = parsed(ChatAdapter(), PARSES[name])
    if name in READ_BETTER:
        assert values == READ_BETTER[name]
    elif name in READ_TOLERANTLY:
        assert golden["error"]
        assert _is_there(READ_TOLERANTLY[name], values)
    else:
        assert values == golden.get("values", "AdapterParseError")


def _is_there(wanted, values):
    if values == wanted or values == {"value": wanted} or values == {"value": {"__enum__": wanted}}:
        return True
    inner = list(values.values()) if isinstance(values, dict) else values if isinstance(values, list) else []
    return any(wanted == value or _is_there(wanted, value) for value in inner)


@pytest.mark.parametrize(
    "text",
    [
        "## reasoning ##\nr\n## answer ##\na",
        "### Reasoning\nr\n\n### Answer\na\n",
        "**reasoning**: r\n**answer**: a",
        "**Reasoning:** r\n**Answer:** a",
        "**Reasoning**\nr\n**Answer**\na",
        "reasoning: r\nanswer: a",
        "- reasoning: r\n- answer: a",
        "[[reasoning]]\nr\n[[answer]]\na\n[[completed]]",
        "[ ## reasoning ## ]\nr\n[ ## answer ## ]\na",
        "`[[ ## reasoning ## ]]`\nr\n`[[ ## answer ## ]]`\na",
        "[[ ## reasoning ## ]]\nr\n[[## Answer ##]]\na",
        "r\n\n[[ ## answer ## ]]\na\n\n[[ ## completed ## ]]",
        "<think>[[ ## answer ## ]]?</think>\nr\n[[ ## answer ## ]]\na",
        '```json\n{"Reasoning": "r", "answer": "a",}\n```',
        "Sure: {'reasoning': 'r', 'answer': 'a'}",
        "[[ ## reasoning ## ]]\nr\n\n[[ ## answer ## ]]\na\n\n[[ ## comp",
        "[[ ## reasoning ## ]]\r\nr\r\n[[ ## answer ## ]]\r\na",
    ],
)
def test_markers_may_be_wrong_in_many_ways(text):
    assert ChatAdapter().parse(QA, text) == {"reasoning": "r", "answer": "a"}


def test_names_of_several_words_are_known_in_any_spelling():
    signature = Signature("q -> short_answer, score: int")
    for text in (
        "Short Answer: yes\nScore: 3",
        "## short-answer\nyes\n## SCORE\n**3**",
        "shortanswer: yes\nscore: 3.",
    ):
        assert ChatAdapter().parse(signature, text) == {"short_answer": "yes", "score": 3}


def test_a_single_output_needs_no_marker():
    assert ChatAdapter().parse(ONE, " Paris.\n") == {"answer": "Paris."}
    assert ChatAdapter().parse(Signature("q -> ok: bool"), "<think>hm</think>Yes.") == {"ok": True}
    with pytest.raises(AdapterParseError, match="has no `n`"):
        ChatAdapter().parse(Signature("q -> n: int"), "I cannot say.")
    with pytest.raises(AdapterParseError, match="has no `answer`"):
        ChatAdapter().parse(ONE, " \n")


def test_only_a_text_that_comes_first_may_lack_its_marker():
    with pytest.raises(AdapterParseError, match="has no `answer`"):
        ChatAdapter().parse(QA, "well\n[[ ## reasoning ## ]]\nr")
    with pytest.raises(AdapterParseError, match="has no `n`"):
        ChatAdapter().parse(Signature("q -> n: int, answer"), "3\n[[ ## answer ## ]]\na")


def test_lines_with_colons_stay_what_they_are_in_a_marked_answer():
    text = "[[ ## reasoning ## ]]\nanswer: b?\nreasoning: no\n[[ ## answer ## ]]\na"
    assert ChatAdapter().parse(QA, text) == {"reasoning": "answer: b?\nreasoning: no", "answer": "a"}


def test_unusual_line_separators_are_kept():
    assert (
        ChatAdapter().parse(ONE, "[[ ## answer ## ]]\na\u2028b\x0cc\x85d")["answer"] == "a\u2028b\x0cc\x85d"
    )


def test_an_answer_that_cannot_be_read_says_why():
    with pytest.raises(AdapterParseError) as caught:
        ChatAdapter().parse(Signature("q -> a, n: int"), "[[ ## a ## ]]\nx\n[[ ## n ## ]]\nmany")
    error = caught.value
    assert error.reason == "The field `n` could not be read: 'many' is not an int."
    assert (error.expected, error.found, error.adapter_name) == (["a", "n"], {"a": "x"}, "ChatAdapter")
    assert error.response.endswith("many")


def test_missing_optional_outputs_take_their_defaults():
    class Maybe(Signature):
        """Say."""

        q: str = InputField()
        answer: str = OutputField()
        note: str = OutputField(default="none given")
        tags: list[str] = OutputField(default_factory=list)
        source: str | None = OutputField()

    text = "[[ ## answer ## ]]\na"
    values = ChatAdapter().parse(Maybe, text)
    assert values == {"answer": "a", "note": "none given", "tags": [], "source": None}
    assert list(values) == ["answer", "note", "tags", "source"]
    assert ChatAdapter().parse(Maybe, text)["tags"] is not values["tags"]


# ---------------------------------------------------------------- asking again


def test_it_asks_again_as_json_and_says_what_was_wrong():
    lm = ScriptedLM("I would rather not.", '{"reasoning": "r", "answer": "a"}')
    answer = ask(ChatAdapter(), lm)
    assert answer.values == [{"reasoning": "r", "answer": "a"}]
    assert answer.reasked
    assert answer.problem == "The answer has no `reasoning` and no `answer`."
    second = lm.asked[1]
    assert second[:-2] == JSONAdapter().format(QA, [], {"question": "q"})
    assert second[-2] == {"role": "assistant", "content": "I would rather not."}
    assert second[-1]["role"] == "user"
    assert second[-1]["content"].startswith("That answer could not be read. The answer has no `reasoning`")
    assert second[-1]["content"].endswith(
        "Respond with a JSON object in the following order of fields: `reasoning`, then `answer`."
    )


def test_it_asks_again_in_its_own_form_without_the_fallback():
    lm = ScriptedLM("no", "[[ ## reasoning ## ]]\nr\n[[ ## answer ## ]]\na")
    answer = ask(ChatAdapter(use_json_adapter_fallback=False), lm)
    assert answer.reasked
    assert lm.asked[1][:-2] == lm.asked[0]
    assert "starting with the field `[[ ## reasoning ## ]]`" in lm.asked[1][-1]["content"]


def test_it_asks_once_only():
    lm = ScriptedLM("no", "still no", "never asked")
    with pytest.raises(AdapterParseError) as caught:
        ask(ChatAdapter(), lm)
    assert len(lm.asked) == 2
    assert caught.value.response == "still no"
    assert isinstance(caught.value.__cause__, AdapterParseError)


def test_it_does_not_ask_again_when_told_not_to():
    lm = ScriptedLM("no")
    with pytest.raises(AdapterParseError):
        ask(ChatAdapter(ask_again=False), lm)


def test_a_good_answer_is_not_asked_for_again(caplog):
    answer = ask(ChatAdapter(), ScriptedLM("reasoning: r\nanswer: a"))
    assert not answer.reasked
    assert answer.problem is None
    assert caplog.records == []


def test_asking_again_is_logged(caplog):
    ask(ChatAdapter(), ScriptedLM("no", '{"reasoning": "r", "answer": "a"}'))
    assert "An answer of test/model could not be read, asking once more." in caplog.text


def test_while_it_streams_it_asks_again_in_its_own_form():
    class Sink:
        def on_call(self): ...
        def on_delta(self, delta): ...
        def on_prediction(self, prediction): ...

    lm = ScriptedLM("no", "[[ ## reasoning ## ]]\nr\n[[ ## answer ## ]]\na")
    with streams.sink.using(Sink()):
        assert ask(ChatAdapter(), lm).values == [{"reasoning": "r", "answer": "a"}]
    assert "starting with the field `[[ ## reasoning ## ]]`" in lm.asked[1][-1]["content"]


def ask(adapter, lm, **kwargs):
    from dspx.runtime.bridge import run

    return run(adapter.ask(lm, kwargs, QA, [], {"question": "q"}))


# ---------------------------------------------------------------- data for finetuning


def test_finetuning_data_is_the_conversation_with_its_answer():
    class Place(BaseModel):
        city: str

    signature = Signature("question -> place: Place", custom_types={"Place": Place})
    data = ChatAdapter().format_finetune_data(signature, [], {"question": "q"}, {"place": Place(city="Rome")})
    assert data["messages"][:-1] == ChatAdapter().format(signature, [], {"question": "q"})
    assert data["messages"][-1] == {
        "role": "assistant",
        "content": '[[ ## place ## ]]\n{"city": "Rome"}\n\n[[ ## completed ## ]]\n',
    }
