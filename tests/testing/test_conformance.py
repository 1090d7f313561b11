from __future__ import annotations

import json
import re
from typing import Any

import pytest

import dspx
from dspx.testing.conformance import ADAPTER_CHECKS, LM_CHECKS, Check, check_adapter, check_lm


class Lines(dspx.Adapter):
    """One JSON value per line: `name = value`."""

    def format(self, signature: Any, demos: Any, inputs: Any) -> list[dict[str, Any]]:
        def block(values: Any, names: Any) -> str:
            return "\n".join(f"{name} = {json.dumps(values.get(name), ensure_ascii=False)}" for name in names)

        messages = [
            {"role": "system", "content": f"{signature.instructions} {list(signature.output_fields)}"}
        ]
        for demo in demos:
            messages.append({"role": "user", "content": block(demo, signature.input_fields)})
            messages.append({"role": "assistant", "content": block(demo, signature.output_fields)})
        return [*messages, {"role": "user", "content": block(inputs, signature.input_fields)}]

    def parse(self, signature: Any, completion: str) -> dict[str, Any]:
        found = dict(re.findall(r"^(\w+) = (.*)$", completion, re.MULTILINE))
        if not signature.output_fields.keys() <= found.keys():
            raise dspx.AdapterParseError("Lines", signature, completion)
        return {name: json.loads(found[name]) for name in signature.output_fields}


class Parrot(dspx.BaseLM):
    def forward(self, prompt: str | None = None, messages: Any = None, **kwargs: Any) -> str:
        return prompt or messages[-1]["content"]


@pytest.mark.parametrize("check", ADAPTER_CHECKS, ids=str)
@pytest.mark.parametrize(
    "make", [dspx.ChatAdapter, dspx.JSONAdapter, dspx.XMLAdapter, dspx.BAMLAdapter, Lines]
)
def test_adapters_keep_their_contract(make: Any, check: Check) -> None:
    check(make())


@pytest.mark.parametrize("check", LM_CHECKS, ids=str)
def test_an_lm_of_ones_own_keeps_its_contract(check: Check) -> None:
    check(Parrot("parrot"))


def test_the_names_of_what_passed_come_back() -> None:
    assert check_adapter(Lines()) == [check.name for check in ADAPTER_CHECKS]
    assert check_lm(Parrot("parrot")) == [check.name for check in LM_CHECKS]


def test_a_parse_that_takes_anything_is_found_out() -> None:
    class Gullible(Lines):
        def parse(self, signature: Any, completion: str) -> dict[str, Any]:
            try:
                return super().parse(signature, completion)
            except dspx.AdapterParseError:
                return dict.fromkeys(signature.output_fields, "")

    with pytest.raises(AssertionError, match="Gullible breaks 1 of 11") as raised:
        check_adapter(Gullible())
    assert "nonsense raises AdapterParseError" in str(raised.value)


def test_a_format_that_changes_its_inputs_is_found_out() -> None:
    class Greedy(Lines):
        def format(self, signature: Any, demos: Any, inputs: Any) -> list[dict[str, Any]]:
            messages = super().format(signature, demos, inputs)
            inputs.pop("hints", None)
            return messages

    with pytest.raises(AssertionError, match="changed the inputs"):
        check_adapter(Greedy())


def test_a_format_that_hides_demos_is_found_out() -> None:
    class Forgetful(Lines):
        def format(self, signature: Any, demos: Any, inputs: Any) -> list[dict[str, Any]]:
            return super().format(signature, [], inputs)

    with pytest.raises(AssertionError, match="without an assistant message"):
        check_adapter(Forgetful())


def test_an_lm_that_gives_a_string_is_found_out() -> None:
    class Blunt(Parrot):
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return super().__call__(*args, **kwargs)[0]

    with pytest.raises(AssertionError, match="gives a str, not a list"):
        check_lm(Blunt("blunt"))


def test_an_lm_that_tells_its_key_is_found_out() -> None:
    class Leaky(Parrot):
        def dump_state(self) -> dict[str, Any]:
            return {**super().dump_state(), "api_key": "secret"}

    with pytest.raises(AssertionError, match=r"tells \['api_key'\]"):
        check_lm(Leaky("leaky"))
