"""Turns of a conversation."""

from __future__ import annotations

import pydantic
import pytest

from dspx.content.history import History


def test_the_history_is_frozen_and_its_list_grows():
    history = History(messages=[{"question": "q"}])
    with pytest.raises(pydantic.ValidationError):
        history.messages = []
    history.messages.append({"question": "q2"})
    assert len(history.messages) == 2


@pytest.mark.parametrize("fields", [{}, {"messages": "x"}, {"messages": [1]}, {"messages": [], "x": 1}])
def test_other_shapes_are_refused(fields: dict[str, object]):
    with pytest.raises(pydantic.ValidationError):
        History(**fields)
