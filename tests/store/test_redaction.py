from __future__ import annotations

from typing import Any

from dspx.store.records import Execution
from dspx.store.redaction import GONE, redacted

WHOLE = Execution(
    inputs={"question": "Who is 4111-1111?", "card": "4111-1111", "nested": [{"card": "5500"}]},
    outputs={"answer": "The holder of 4111-1111."},
    trace=[{"inputs": {"card": "4111-1111"}, "messages": [{"content": "card: 4111-1111"}]}],
    error={"message": "cannot charge 4111-1111"},
)


def test_a_named_field_is_gone_wherever_it_occurs_also_as_text() -> None:
    safe = redacted(WHOLE, ["card"])
    assert safe.inputs == {"question": f"Who is {GONE}?", "card": GONE, "nested": [{"card": GONE}]}
    assert "4111" not in str(safe)
    assert "5500" not in str(safe)
    assert "4111" in str(WHOLE)


def test_one_name_may_be_given_as_a_text() -> None:
    assert redacted(Execution(inputs={"card": "4111", "c": 1}), "card").inputs == {"card": GONE, "c": 1}


def test_a_function_says_what_to_keep_instead() -> None:
    def last_four(name: str, value: Any) -> Any:
        return f"…{value[-4:]}" if name == "card" else value

    safe = redacted(WHOLE, last_four)
    assert safe.inputs["card"] == "…1111"
    assert "4111" not in str(safe)


def test_a_function_that_raises_keeps_nothing_of_the_value() -> None:
    def broken(name: str, value: Any) -> Any:
        return value.strip()

    safe = redacted(Execution(inputs={"n": 12345, "text": "kept"}), broken)
    assert safe.inputs == {"n": GONE, "text": "kept"}


def test_short_texts_are_not_looked_for_elsewhere() -> None:
    safe = redacted(Execution(inputs={"pin": "a", "question": "a cat"}), ["pin"])
    assert safe.inputs == {"pin": GONE, "question": "a cat"}
