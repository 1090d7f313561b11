from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from dspx.core import streams
from dspx.core.streams import Delta
from dspx.errors import (
    ContextWindowExceededError,
    LMAuthError,
    LMCircuitOpenError,
    LMConfigurationError,
    LMInvalidRequestError,
    LMOverloadedError,
    LMRateLimitError,
    LMServerError,
    LMUnsupportedFeatureError,
    UsageError,
)
from dspx.lm.fallback import Fallbacks
from dspx.lm.request import Request
from dspx.lm.response import Response
from dspx.runtime.bridge import run
from tests.lm.layers import Script, Sink, answer, asked

Run = Callable[[Coroutine[Any, Any, Any]], Any]
both = pytest.mark.parametrize("run", [run, asyncio.run], ids=["sync", "async"])


@both
def test_the_first_answers_if_it_can(run: Run) -> None:
    second = Script()
    response = run(Fallbacks([("a", Script()), ("b", second)]).ask(asked()))
    assert (response.route, second.calls) == ("a", 0)


@both
@pytest.mark.parametrize(
    "error",
    [
        LMServerError("x"),
        LMRateLimitError("x"),
        LMAuthError("x"),
        LMCircuitOpenError("x"),
        LMOverloadedError("x"),
        ContextWindowExceededError("x"),
        LMUnsupportedFeatureError("x"),
    ],
)
def test_the_next_is_asked_for_what_it_may_do_better(run: Run, error: Exception) -> None:
    response = run(Fallbacks([("a", Script(error)), ("b", Script(answer("from b")))]).ask(asked()))
    assert (response.route, response.text) == ("b", "from b")


@both
@pytest.mark.parametrize(
    "error", [UsageError("x"), LMConfigurationError("x"), LMInvalidRequestError("x"), TypeError("x")]
)
def test_a_faulty_program_is_not_handed_on(run: Run, error: Exception) -> None:
    second = Script()
    with pytest.raises(type(error)):
        run(Fallbacks([("a", Script(error)), ("b", second)]).ask(asked()))
    assert second.calls == 0


@both
def test_if_all_fail_the_last_error_names_them_all_and_comes_from_the_first(run: Run) -> None:
    first, last = LMServerError("down"), LMRateLimitError("slow")
    with pytest.raises(LMRateLimitError, match=r"slow .*a: LMServerError; b: LMRateLimitError") as caught:
        run(Fallbacks([("a", Script(first)), ("b", Script(last))]).ask(asked()))
    assert caught.value.__cause__ is first


@both
def test_a_single_route_fails_with_its_own_error(run: Run) -> None:
    error = LMServerError("down")
    with pytest.raises(LMServerError) as caught:
        run(Fallbacks([("a", Script(error))]).ask(asked()))
    assert caught.value is error
    assert str(error) == "down"


@both
def test_there_is_no_other_try_once_a_stream_has_begun(run: Run) -> None:
    async def half(request: Request) -> Response:
        sink = streams.sink.get()
        assert sink is not None
        sink.on_delta(Delta("half"))
        raise LMServerError("gone")

    second = Script()
    with streams.sink.using(Sink()), pytest.raises(LMServerError):
        run(Fallbacks([("a", Script(half)), ("b", second)]).ask(asked()))
    assert second.calls == 0


@both
def test_a_route_within_a_route_keeps_the_innermost_name(run: Run) -> None:
    inner = Fallbacks([("c", Script(LMServerError("x"))), ("d", Script())])
    assert run(Fallbacks([("a", inner)]).ask(asked())).route == "d"
