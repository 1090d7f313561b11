"""Does your adapter, or your LM, keep its contract? `check_adapter(MyAdapter())`, `check_lm(MyLM())`.

Each raises AssertionError with everything that is wrong, or returns the names of the checks that passed. For one
pytest test per check, parametrize over `ADAPTER_CHECKS` or `LM_CHECKS`:

    @pytest.mark.parametrize("check", ADAPTER_CHECKS, ids=str)
    def test_contract(check):
        check(MyAdapter())
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dspx.core.canonical import to_plain
from dspx.core.example import Example
from dspx.core.fields import InputField, OutputField
from dspx.core.settings import context
from dspx.core.signature import make_signature
from dspx.core.usage import track_usage
from dspx.errors import AdapterParseError
from dspx.lm.response import Response
from dspx.runtime.bridge import on_background_loop, run
from dspx.runtime.fanout import fan_out
from dspx.testing.prompt.reading import text_of
from dspx.testing.scripted import ScriptedLM


@dataclass(frozen=True, slots=True)
class Check:
    """One promise, and the function that sees whether it is kept."""

    name: str
    body: Callable[[Any], None]

    def __call__(self, subject: Any) -> None:
        """AssertionError where the promise is broken."""
        self.body(subject)

    def __str__(self) -> str:
        return self.name


def check_adapter(adapter: Any) -> list[str]:
    """Check an adapter's contract: pure `format`, a `parse` that reads what the adapter writes, sync and async alike.

    It is for adapters that write and read text in one step; one that asks a second LM (TwoStepAdapter) is not.
    """
    return _all(ADAPTER_CHECKS, adapter)


def check_lm(lm: Any) -> list[str]:
    """Check an LM's contract by asking it some eight short questions; each may cost what a call costs.

    The answers may be anything: only their form is looked at.
    """
    return _all(LM_CHECKS, lm)


def _all(checks: Iterable[Check], subject: Any) -> list[str]:
    passed: list[str] = []
    failed: list[str] = []
    for check in checks:
        try:
            check(subject)
        except Exception as error:  # noqa: BLE001 - a user's own class may raise anything
            failed.append(f"- {check}: {type(error).__name__}: {error}" if str(error) else f"- {check}")
        else:
            passed.append(check.name)
    if failed:
        name = type(subject).__name__
        raise AssertionError(
            f"{name} breaks {len(failed)} of {len(failed) + len(passed)} promises:\n" + "\n".join(failed)
        )
    return passed


# ---------------------------------------------------------------- adapters


def _signature() -> Any:
    return make_signature(
        {
            "question": (str, InputField()),
            "hints": (list[str], InputField()),
            "answer": (str, OutputField()),
            "score": (int, OutputField()),
        },
        "Answer from the hints.",
    )


_INPUTS = {"question": "What is the tallest mountain?", "hints": ["It is in Asia.", "Snow: yes"]}
_VALUES: dict[str, Any] = {"answer": "Mount Everest, 8,849 m", "score": 7}
_DEMO = {"question": "Where is Lisbon?", "hints": ["West"], "answer": "In Portugal", "score": 3}


def _right_answer(adapter: Any, signature: Any, inputs: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """The answer that says these values, in the adapter's own words: it writes one for every demo."""
    messages = adapter.format(signature, [Example({**inputs, **values})], dict(_INPUTS))
    written = [message for message in messages if message["role"] == "assistant"]
    assert written, "`format` shows a demo without an assistant message"
    return text_of(written[-1])


def _format_gives_messages(adapter: Any) -> None:
    messages = adapter.format(_signature(), [], dict(_INPUTS))
    assert isinstance(messages, list), f"`format` gives a {type(messages).__name__}, not a list"
    assert messages, "`format` gives no messages"
    for message in messages:
        assert message.get("role") in ("system", "developer", "user", "assistant"), (
            f"not a message: {message}"
        )
        assert isinstance(message.get("content"), (str, list)), f"a message without content: {message}"
    assert messages[-1]["role"] == "user", f"the last message is the {messages[-1]['role']}'s, not the user's"


def _inputs_are_in_the_prompt(adapter: Any) -> None:
    asked = text_of(adapter.format(_signature(), [], dict(_INPUTS))[-1])
    for word in (_INPUTS["question"], "It is in Asia."):
        assert word in asked, f"{word!r} is not in the last message"


def _instructions_and_outputs_are_in_the_prompt(adapter: Any) -> None:
    whole = "\n".join(text_of(message) for message in adapter.format(_signature(), [], dict(_INPUTS)))
    for word in ("Answer from the hints.", "answer", "score"):
        assert word in whole, f"{word!r} is nowhere in the prompt"


def _demos_are_shown(adapter: Any) -> None:
    messages = adapter.format(_signature(), [Example(_DEMO)], dict(_INPUTS))
    before = "\n".join(text_of(message) for message in messages[:-1])
    for value in (_DEMO["question"], _DEMO["answer"]):
        assert str(value) in before, f"{value!r} of a demo is not in the prompt before the question"


def _format_is_pure(adapter: Any) -> None:
    inputs, demos = copy.deepcopy(_INPUTS), [Example(_DEMO)]
    first = copy.deepcopy(adapter.format(_signature(), demos, inputs))
    assert inputs == _INPUTS, "`format` changed the inputs it was given"
    assert demos[0].toDict() == _DEMO, "`format` changed a demo"
    assert adapter.format(_signature(), demos, inputs) == first, (
        "`format` gives something else the second time"
    )


def _parse_reads_what_format_writes(adapter: Any) -> None:
    for type_, value in _ROUND_TRIPS:
        signature = make_signature({"text": (str, InputField()), "value": (type_, OutputField())})
        answer = _right_answer_of(adapter, signature, value)
        parsed = adapter.parse(signature, answer)
        assert parsed == {"value": value}, f"{value!r} ({type_}) came back as {parsed!r} from {answer!r}"


_ROUND_TRIPS: tuple[tuple[Any, Any], ...] = (
    (str, "plain"),
    (str, "several\nlines\n\nand a gap"),
    (str, "ünïcödé 日本 🎉"),
    (int, -3),
    (float, 0.25),
    (bool, False),
    (list[str], ["a", "b, c"]),
    (dict[str, int], {"a": 1}),
)


def _right_answer_of(adapter: Any, signature: Any, value: Any) -> str:
    messages = adapter.format(signature, [Example(text="t", value=value)], {"text": "u"})
    return text_of([message for message in messages if message["role"] == "assistant"][-1])


def _parse_gives_the_outputs_in_order(adapter: Any) -> None:
    signature = _signature()
    parsed = adapter.parse(signature, _right_answer(adapter, signature, _INPUTS, _VALUES))
    assert list(parsed) == list(signature.output_fields), f"`parse` gives {list(parsed)}"
    assert parsed == _VALUES, f"`parse` gives {parsed}"


def _nonsense_is_refused(adapter: Any) -> None:
    for nonsense in ("", "I would rather not say.", "{", "<<<"):
        try:
            parsed = adapter.parse(_signature(), nonsense)
        except AdapterParseError:
            continue
        raise AssertionError(f"`parse` made {parsed} out of {nonsense!r}; it should raise AdapterParseError")


def _asking_gives_values(adapter: Any) -> None:
    signature = _signature()
    answer = _right_answer(adapter, signature, _INPUTS, _VALUES)
    for ask in (_ask_sync, _ask_async):
        lm = ScriptedLM([answer])
        values = ask(adapter, lm, signature)
        assert values == [_VALUES], f"{ask.__name__[5:]}: {values}"
        assert len(lm.requests) == 1, f"{ask.__name__[5:]}: asked {len(lm.requests)} times"


def _several_completions_give_several_values(adapter: Any) -> None:
    signature = _signature()
    answer = _right_answer(adapter, signature, _INPUTS, _VALUES)
    values = adapter(ScriptedLM([[answer, answer]]), {"n": 2}, signature, [], dict(_INPUTS))
    assert values == [_VALUES, _VALUES], f"two completions gave {values}"


def _settings_reach_the_lm(adapter: Any) -> None:
    signature = _signature()
    lm = ScriptedLM([_right_answer(adapter, signature, _INPUTS, _VALUES)])
    settings = {"temperature": 0.3, "max_tokens": 77}
    adapter(lm, settings, signature, [], dict(_INPUTS))
    sent = lm.requests[0].params
    assert settings.items() <= sent.items(), f"the LM got {sent}"
    assert settings == {"temperature": 0.3, "max_tokens": 77}, "the adapter changed the settings it was given"


def _ask_sync(adapter: Any, lm: Any, signature: Any) -> Any:
    return adapter(lm, {}, signature, [], dict(_INPUTS))


def _ask_async(adapter: Any, lm: Any, signature: Any) -> Any:
    return on_background_loop(adapter.acall, lm, {}, signature, [], dict(_INPUTS))


ADAPTER_CHECKS: tuple[Check, ...] = (
    Check("format gives messages, the user's last", _format_gives_messages),
    Check("the inputs are in the last message", _inputs_are_in_the_prompt),
    Check(
        "the instructions and the outputs' names are in the prompt",
        _instructions_and_outputs_are_in_the_prompt,
    ),
    Check("demos are shown before the question", _demos_are_shown),
    Check("format is pure", _format_is_pure),
    Check("parse reads what format writes", _parse_reads_what_format_writes),
    Check("parse gives the outputs, typed and in order", _parse_gives_the_outputs_in_order),
    Check("nonsense raises AdapterParseError", _nonsense_is_refused),
    Check("a call gives values, sync and async", _asking_gives_values),
    Check("n completions give n values", _several_completions_give_several_values),
    Check("a call's settings reach the LM", _settings_reach_the_lm),
)


# ---------------------------------------------------------------- language models

_QUESTION = "Say hello."


def _a_prompt_gives_a_list(lm: Any) -> None:
    _check_outputs(lm(_QUESTION), 1)


def _messages_give_a_list(lm: Any) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": _QUESTION}]
    before = copy.deepcopy(messages)
    _check_outputs(lm(messages=messages), 1)
    assert messages == before, "the LM changed the messages it was given"


def _async_calls_give_the_same_form(lm: Any) -> None:
    _check_outputs(on_background_loop(lm.acall, _QUESTION), 1)


def _respond_to_gives_a_response(lm: Any) -> None:
    response = run(lm.respond_to([{"role": "user", "content": _QUESTION}], {}))
    assert isinstance(response, Response), f"`respond_to` gives a {type(response).__name__}, not a Response"
    assert response.outputs, "a Response without outputs"
    again = Response.from_json(to_plain(response.to_json()))
    assert again.outputs == response.outputs, "the response is another one after a turn through JSON"


def _calls_are_in_the_history(lm: Any) -> None:
    before = len(lm.history)
    with context(max_history_size=10_000, disable_history=False):
        lm(_QUESTION)
    assert len(lm.history) == before + 1, f"{len(lm.history) - before} entries for one call"
    entry = lm.history[-1]
    for name in ("messages", "outputs", "usage", "model", "timestamp"):
        assert name in entry, f"a history entry without {name!r}"


def _usage_is_counted(lm: Any) -> None:
    with track_usage() as usage:
        lm(_QUESTION)
    assert len(usage.entries) == 1, f"{len(usage.entries)} entries for one call"


def _threads_may_share_it(lm: Any) -> None:
    async def ask(_: int) -> list[Any]:
        return await lm.acall(_QUESTION)

    outcomes = run(fan_out(ask, range(4), workers=4))
    for outcome in outcomes:
        assert outcome.error is None, f"a call in a thread raised {outcome.error!r}"
        _check_outputs(outcome.value, 1)


def _copies_are_apart(lm: Any) -> None:
    before = dict(lm.kwargs)
    other = lm.copy(temperature=0.123)
    assert other is not lm, "`copy` gives the LM itself"
    assert type(other) is type(lm), f"`copy` gives a {type(other).__name__}"
    assert other.kwargs.get("temperature") == 0.123, "`copy(temperature=…)` did not set it"
    assert lm.kwargs == before, "`copy` changed the LM it was made from"
    assert len(other.history) == 0, "a copy starts with a history"


def _state_holds_no_secrets(lm: Any) -> None:
    state = to_plain(lm.dump_state())
    assert state.get("model") == lm.model, "`dump_state` does not say the model"
    secrets = [name for name in state if "key" in name.lower() or "authorization" in name.lower()]
    assert not secrets, f"`dump_state` tells {secrets}"


def _check_outputs(outputs: Any, n: int) -> None:
    assert isinstance(outputs, list), f"a call gives a {type(outputs).__name__}, not a list"
    assert len(outputs) == n, f"{len(outputs)} completions instead of {n}"
    for output in outputs:
        text = output.get("text") if isinstance(output, dict) else output
        assert text is None or isinstance(text, str), (
            f"a completion is a string or a dict with text, not {output!r}"
        )


LM_CHECKS: tuple[Check, ...] = (
    Check("a prompt gives a list with one completion", _a_prompt_gives_a_list),
    Check("messages give the same, and stay as they are", _messages_give_a_list),
    Check("async calls give the same form", _async_calls_give_the_same_form),
    Check("respond_to gives a Response that survives JSON", _respond_to_gives_a_response),
    Check("a call is in the history once", _calls_are_in_the_history),
    Check("a call is counted once", _usage_is_counted),
    Check("threads may share it", _threads_may_share_it),
    Check("a copy is apart from its original", _copies_are_apart),
    Check("the state holds no secrets", _state_holds_no_secrets),
)

__all__: Sequence[str] = ("ADAPTER_CHECKS", "LM_CHECKS", "Check", "check_adapter", "check_lm")
