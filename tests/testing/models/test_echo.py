from __future__ import annotations

import orjson

from dspx.lm.request import Request
from dspx.testing.models.echo import Echo


def request(text: str = "Hello?", **params: object) -> Request:
    return Request(
        "echo", [{"role": "system", "content": "s"}, {"role": "user", "content": text}], dict(params)
    )


def test_it_says_the_last_user_message() -> None:
    assert Echo().answer(request("Hello?")).text == "Hello?"


def test_without_a_user_message_it_says_the_last_one() -> None:
    assert Echo().answer(Request("echo", [{"role": "system", "content": "only"}])).text == "only"
    assert Echo().answer(Request("echo", [])).text == ""


def test_json_is_answered_with_json() -> None:
    assert orjson.loads(Echo().answer(request("x", response_format={"type": "json_object"})).text or "") == {
        "echo": "x"
    }
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    assert orjson.loads(Echo().answer(request("x", response_format=form)).text or "") == {"a": 0}


def test_a_plain_text_format_is_no_json() -> None:
    assert Echo().answer(request("x", response_format={"type": "text"})).text == "x"
