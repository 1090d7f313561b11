"""The page of public names says what the lists in `dspx.compat` say."""

from __future__ import annotations

from tests.docs.public_names import PAGE, text


def test_the_page_is_that_of_the_lists() -> None:
    assert PAGE.read_text(encoding="utf-8") == text(), "write it again: python -m tests.docs.public_names"
