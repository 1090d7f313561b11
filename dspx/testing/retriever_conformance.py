"""Does your retriever keep its contract? `check_retriever(my_rm, "a question it can answer")`.

A retriever is called with a question and `k`, and gives up to `k` passages, best first: strings, passages with
`long_text`, or a Prediction with `passages`. One that can be awaited has `acall` too.

For one pytest test per check, parametrize over `RETRIEVER_CHECKS`:

    @pytest.mark.parametrize("check", RETRIEVER_CHECKS, ids=str)
    def test_contract(check):
        check(Asked(my_rm, "a question it can answer"))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dspx.core.calls import entrance
from dspx.core.settings import context
from dspx.retrievers.passage import texts_of
from dspx.retrievers.retrieve import Retrieve
from dspx.runtime.bridge import on_background_loop, run
from dspx.runtime.fanout import fan_out
from dspx.testing.conformance import Check, _all


@dataclass(frozen=True)
class Asked:
    """A retriever, and a question to which it has at least three passages."""

    retriever: Any
    question: str = "What is the capital of Portugal?"

    def __call__(self, k: int) -> Any:
        return self.retriever(self.question, k=k)


def check_retriever(retriever: Any, question: str = "What is the capital of Portugal?") -> list[str]:
    """Check a retriever by asking it a question, some thirty times, to which it has three passages or more.

    AssertionError with everything that is wrong; else the names of the checks that passed.
    """
    return _all(RETRIEVER_CHECKS, Asked(retriever, question))


def _gives_passages(asked: Asked) -> None:
    assert texts_of(asked(3)), f"no passages for {asked.question!r}: ask it something that it knows"


def _k_bounds_them(asked: Asked) -> None:
    for k in (1, 2, 3):
        count = len(texts_of(asked(k)))
        assert count <= k, f"k={k} gave {count} passages"


def _more_begin_with_fewer(asked: Asked) -> None:
    whole = texts_of(asked(3))
    for k in (1, 2):
        first = texts_of(asked(k))
        assert first == whole[:k], f"k={k} gave {first}, but k=3 begins with {whole[:k]}"


def _the_same_again(asked: Asked) -> None:
    first, second = texts_of(asked(3)), texts_of(asked(3))
    assert first == second, f"asked twice, it gave {first} and then {second}"


def _what_is_beside_fits(asked: Asked) -> None:
    found = asked(3)
    count = len(texts_of(found))
    for name in ("indices", "scores"):
        beside = getattr(found, name, None)
        assert beside is None or len(beside) == count, f"{len(beside or ())} {name} for {count} passages"
    known = _scores_of(found)
    assert known == sorted(known, reverse=True), f"the scores are not in order, best first: {known}"


def _results_are_the_callers(asked: Asked) -> None:
    first, second = asked(3), asked(3)
    shared = getattr(first, "passages", first) is getattr(second, "passages", second)
    assert not shared, "two calls gave one and the same list: what a caller does with it, the next one sees"


def _async_gives_the_same(asked: Asked) -> None:
    async def ask() -> Any:
        return await entrance(asked.retriever)(asked.question, k=3)

    awaited, called = texts_of(on_background_loop(ask)), texts_of(asked(3))
    assert awaited == called, f"awaited it gave {awaited}, called {called}"


def _many_may_ask_at_once(asked: Asked) -> None:
    async def ask(_: int) -> list[str]:
        return texts_of(await entrance(asked.retriever)(asked.question, k=3))

    async def all_at_once() -> Any:
        return await fan_out(ask, range(8), workers=8)

    expected = texts_of(asked(3))
    for outcome in (*run(all_at_once()), *on_background_loop(all_at_once)):
        assert outcome.error is None, f"asked eight times at once, it raised {outcome.error!r}"
        assert outcome.value == expected, f"asked eight times at once, it gave {outcome.value}"


def _retrieve_can_use_it(asked: Asked) -> None:
    with context(rm=asked.retriever):
        found = Retrieve(k=2)(asked.question)
    expected = texts_of(asked(2))
    assert found.passages == expected, f"dspx.Retrieve gave {found.passages}, the retriever {expected}"


def _scores_of(found: Any) -> list[float]:
    """The prediction's scores, or those that the passages have."""
    scores = getattr(found, "scores", None)
    if scores is not None:
        return list(scores)
    given = [getattr(passage, "score", None) for passage in getattr(found, "passages", found)]
    return [score for score in given if isinstance(score, (int, float))]


RETRIEVER_CHECKS: Sequence[Check] = (
    Check("a call gives passages", _gives_passages),
    Check("there are at most k", _k_bounds_them),
    Check("more passages begin with the fewer", _more_begin_with_fewer),
    Check("the same question gives the same passages", _the_same_again),
    Check("indices and scores fit the passages, best first", _what_is_beside_fits),
    Check("a result is its caller's", _results_are_the_callers),
    Check("an awaited call gives the same", _async_gives_the_same),
    Check("threads and tasks may ask at once", _many_may_ask_at_once),
    Check("dspx.Retrieve can use it", _retrieve_can_use_it),
)
