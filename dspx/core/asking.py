"""Stop a program at its first question to a language model, to see what it would ask.

An LM calls `stop_at(messages)` before it does anything; that costs one look at a scoped value per call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from dspx.core.settings import context, settings
from dspx.errors import UsageError
from dspx.runtime.scope import Scoped

Messages = list[dict[str, Any]]


class Stopped(BaseException):
    """Ends the work that would ask, which `except Exception` in a program must not stop."""


class FirstQuestion:
    """Where the first question is kept. Of leaves that ask at the same time, whichever comes first."""

    def __init__(self) -> None:
        self.messages: Messages | None = None


_looking: Scoped[FirstQuestion | None] = Scoped("dspx_first_question", None)


def stop_at(messages: Messages) -> None:
    """Keep the question and end the call, where somebody only wants to see it."""
    looking = _looking.get()
    if looking is not None:
        if looking.messages is None:
            looking.messages = [dict(message) for message in messages]
        raise Stopped


async def first_question(ask: Callable[[], Awaitable[Any]], what: str, stand_in: Any) -> Messages:
    """The messages of the first question in `await ask()`, of which nothing is sent.

    `stand_in` is an LM for where none is chosen. `UsageError` where no LM is asked.
    """
    looking = FirstQuestion()
    lm = settings.lm or stand_in
    with _looking.using(looking), context(lm=lm, callbacks=[], trace=None, track_usage=False):
        try:
            await ask()
        except Stopped:
            pass
        except Exception:
            if looking.messages is None:  # else it is about being stopped
                raise
    if looking.messages is None:
        raise UsageError(f"{what} came to its end without asking a language model, so there is no prompt.")
    return looking.messages
