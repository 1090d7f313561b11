"""Charge a call to the budget in force: reserve the most it can take, ask, give back the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from dspx.core.budget import Ledger, Spending, ledger
from dspx.lm.asker import Asker
from dspx.lm.cost import price_of
from dspx.lm.facts import facts_of
from dspx.lm.request import Request
from dspx.lm.response import Response
from dspx.lm.usage import Usage
from dspx.runtime.scope import Scoped

_ANSWER_TOKENS = 4_096
"""What an answer is taken to have at most where neither the call nor the model's facts say."""

_MEASURED = ("tokens", "cost")

_charged: Scoped[bool] = Scoped("dspx_charged", False)
"""Whether the call we are in is charged already, by an LM around this one."""


class Charged:
    """A layer that charges each request which passes through it: below the cache and the retries."""

    def __init__(self, inner: Asker) -> None:
        self.inner = inner

    async def ask(self, request: Request) -> Response:
        if ledger.get() is None:
            return await self.inner.ask(request)
        return await charged(request, self.inner.ask)


async def charged(request: Request, ask: Callable[[Request], Awaitable[Response]]) -> Response:
    """The response of `ask(request)`, charged to the budget in force. `BudgetExhausted` where it does not fit."""
    opened = ledger.get()
    if opened is None or _charged.get():
        return await ask(request)
    hold = await opened.reserve(_at_most(request, opened))
    spent = Spending(lm_calls=1)
    try:
        with _charged.using(True):
            response = await ask(request)
        if response.cache_hit:
            spent = Spending()
        else:
            spent = Spending(1, response.usage.total_tokens, response.cost or 0.0)
    finally:
        hold.settle(spent)
    return response


def _at_most(request: Request, opened: Ledger) -> Spending:
    """The most that the request can take: no token is shorter than a byte."""
    limited = opened.limited
    if limited.isdisjoint(_MEASURED):
        return Spending(lm_calls=1)
    sent = sum(_size(message) for message in request.messages) + _size(request.params.get("tools"))
    answered = (request.params.get("n") or 1) * _longest_answer(request)
    row = price_of(request.model) if "cost" in limited else None
    cost = row.of(Usage(prompt_tokens=sent, completion_tokens=answered)) if row else 0.0
    return Spending(1, sent + answered, cost)


def _longest_answer(request: Request) -> int:
    params = request.params
    asked = params.get("max_tokens") or params.get("max_completion_tokens") or params.get("max_output_tokens")
    if asked:
        return int(asked)
    facts = facts_of(request.model)
    return (facts.max_output if facts else None) or _ANSWER_TOKENS


def _size(value: Any) -> int:
    """Bytes of the text in a message, with room for what a provider puts around it."""
    if value is None:
        return 0
    if isinstance(value, str):
        return len(value.encode(errors="replace"))
    if isinstance(value, dict):
        return 8 + sum(_size(key) + _size(part) for key, part in value.items())
    if isinstance(value, (list, tuple)):
        return sum(_size(part) for part in value)
    return len(str(value))
