"""The seam to LiteLLM, against a stand-in that has its interface."""

import asyncio
import sys
from types import SimpleNamespace

import pytest

import dspx
from dspx.errors import ContextWindowExceededError, LMRateLimitError, LMUnexpectedError
from dspx.runtime import clock


class RateLimitError(Exception):
    status_code = 429


class ContextWindowExceeded(Exception):
    pass


ContextWindowExceeded.__name__ = "ContextWindowExceededError"


@pytest.fixture
def litellm(monkeypatch):
    asked = []

    def answer(**kwargs):
        asked.append(kwargs)
        if stand_in.failures:
            raise stand_in.failures.pop(0)
        message = SimpleNamespace(content="from litellm", tool_calls=None)
        usage = SimpleNamespace(prompt_tokens=1, completion_tokens=2, total_tokens=3)
        return SimpleNamespace(model="real", choices=[SimpleNamespace(message=message)], usage=usage)

    async def acompletion(**kwargs):
        return answer(**kwargs)

    stand_in = SimpleNamespace(completion=answer, acompletion=acompletion, asked=asked, failures=[])
    monkeypatch.setitem(sys.modules, "litellm", stand_in)
    return stand_in


def make(**kwargs):
    return dspx.LM("exotic/model", engine="litellm", api_key="sk-0123456789", cache=False, **kwargs)


def test_sync_and_async_calls_go_through_litellm(litellm):
    lm = make(temperature=0.5)
    assert lm("hi") == asyncio.run(lm.acall("hi")) == ["from litellm"]
    assert litellm.asked[0]["model"] == "exotic/model"
    assert litellm.asked[0]["temperature"] == 0.5
    assert litellm.asked[0]["num_retries"] == 0
    assert lm.history[-1]["usage"]["total_tokens"] == 3


def test_retries_stay_with_dspx(litellm):
    litellm.failures[:] = [RateLimitError("slow down")]
    with clock.use(clock.FakeClock()) as fake:
        assert make()("hi") == ["from litellm"]
    assert len(litellm.asked) == 2
    assert len(fake.slept) == 1


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (RateLimitError("x"), LMRateLimitError),
        (ContextWindowExceeded("x"), ContextWindowExceededError),
        (ValueError("x"), LMUnexpectedError),
    ],
)
def test_its_errors_become_dspxs(litellm, theirs, ours):
    litellm.failures[:] = [theirs]
    with pytest.raises(ours) as raised:
        make(num_retries=0)("hi")
    assert raised.value.__cause__ is theirs
