"""Request: one question, as data."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from dspx.lm.request import Request


def test_a_request_is_not_changed_after_it_was_made():
    request = Request("openai/gpt-4o-mini", [{"role": "user", "content": "hi"}])
    with pytest.raises(FrozenInstanceError):
        request.model = "other"  # type: ignore[misc]


def test_an_edited_copy_shares_the_messages():
    request = Request("openai/gpt-4o-mini", [{"role": "user", "content": "hi"}], {"temperature": 0})
    copy = replace(request, rollout_id=3)
    assert copy.messages is request.messages
    assert (request.rollout_id, copy.rollout_id) == (None, 3)


def test_two_requests_do_not_share_their_default_params():
    assert Request("m", []).params is not Request("m", []).params
